"""The indexes of the table that searches read.

At a million jobs the index of words takes a minute or two, in which jobs can be found and read, but
not published or closed. Nothing here locks `jobs`: whoever publishes has that table and waits for
ours, so that wanting it, too, would be a deadlock. What `jobs` had for searches goes next.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c3d26e9db153"
down_revision: str | Sequence[str] | None = "b2e15d8ca042"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.create_index("ix_live_jobs_newest", "live_jobs", ["published_at", "id"])
    op.create_index("ix_live_jobs_pay", "live_jobs", ["currency", "pay", "published_at", "id"])
    op.create_index(
        "ix_live_jobs_featured",
        "live_jobs",
        ["featured_until"],
        postgresql_where=sa.text("featured_until IS NOT NULL"),
    )
    op.create_index(
        "ix_live_jobs_words",
        "live_jobs",
        ["times", "kinds", "search", "head", "place_search"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )


def downgrade() -> None:
    for name in ("words", "featured", "pay", "newest"):
        op.drop_index(f"ix_live_jobs_{name}", "live_jobs")
