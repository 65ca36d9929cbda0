"""Messages know the request that caused them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "d2e12ca4c9d3"
down_revision: str | Sequence[str] | None = "7d40b1c6e2a8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("request_id", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("messages", "request_id")
