"""Indexes of what saved searches found, to be told, forgotten and counted; their keys at once.

Whatever was not filed in the index of keys yet is filed, and new keys are at once: a list of them
was read for each new job.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7d40b1c6e2a8"
down_revision: str | Sequence[str] | None = "3fa17ab9ef11"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEYS = "ix_saved_searches_keys"
TABLE = "saved_search_jobs"
INDEXES = {
    "ix_saved_search_jobs_untold": (["saved_search_id", "found_at"], "told_at IS NULL"),
    "ix_saved_search_jobs_told_at": (["told_at"], "told_at IS NOT NULL"),
    "ix_saved_search_jobs_found_at": (["saved_search_id", "found_at"], None),
}


def upgrade() -> None:
    for name, (columns, where) in INDEXES.items():
        op.create_index(name, TABLE, columns, postgresql_where=sa.text(where) if where else None)
    op.execute(f"ALTER INDEX {KEYS} SET (fastupdate = off)")
    op.execute(f"SELECT gin_clean_pending_list('{KEYS}')")


def downgrade() -> None:
    op.execute(f"ALTER INDEX {KEYS} RESET (fastupdate)")
    for name in INDEXES:
        op.drop_index(name, TABLE)
