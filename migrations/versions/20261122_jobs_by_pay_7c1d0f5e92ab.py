"""Live jobs by pay: the index that the salary sort reads."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7c1d0f5e92ab"
down_revision: str | Sequence[str] | None = "44451b17fb2d"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_jobs_live_pay",
        "jobs",
        ["currency", sa.text("coalesce(yearly_max, yearly_min)"), "published_at", "id"],
        postgresql_where=sa.text("status = 'published'"),
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_live_pay", table_name="jobs")
