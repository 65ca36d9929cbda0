"""When a person was erased: their row stays as a line without a name."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "9bdb74bbe54e"
down_revision: str | Sequence[str] | None = "bf6d48f84fb1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("people", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("people", "erased_at")
