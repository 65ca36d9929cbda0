"""scopes of a log-in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "cd047dc18da8"
down_revision: str | Sequence[str] | None = "7f98975c5352"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("login_sessions", sa.Column("scopes", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("login_sessions", "scopes")
