"""The indexes of the salary sort.

At a million jobs they take some seconds, in which jobs can be found and read, but not published or
closed. Nothing here locks `jobs` (c3d26e9db153 says why).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c6a1e8357d42"
down_revision: str | Sequence[str] | None = "90be27d4f1a8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.create_index(
        "ix_live_jobs_euros",
        "live_jobs",
        ["euros", "published_at", "id"],
        postgresql_where=sa.text("euros IS NOT NULL"),
    )
    op.create_index(
        "ix_live_jobs_no_rate",
        "live_jobs",
        ["currency", "pay", "published_at", "id"],
        postgresql_where=sa.text("euros IS NULL AND currency IS NOT NULL AND pay IS NOT NULL"),
    )


def downgrade() -> None:
    for name in ("no_rate", "euros"):
        op.drop_index(f"ix_live_jobs_{name}", "live_jobs")
