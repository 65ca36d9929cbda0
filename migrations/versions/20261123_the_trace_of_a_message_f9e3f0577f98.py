"""Messages know the trace of the request that caused them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "f9e3f0577f98"
down_revision: str | Sequence[str] | None = "d2e12ca4c9d3"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("traceparent", sa.Text(), server_default="", nullable=False)
    op.add_column("messages", column)


def downgrade() -> None:
    op.drop_column("messages", "traceparent")
