"""Why someone is suspended, and which companies have a name that no moderator has seen."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "fb162e776920"
down_revision: str | Sequence[str] | None = "cd047dc18da8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("companies", sa.Column("former_name", sa.Text(), nullable=True))
    op.add_column("companies", sa.Column("renamed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_companies_renamed",
        "companies",
        ["renamed_at"],
        postgresql_where=sa.text("renamed_at IS NOT NULL"),
    )
    op.add_column("people", sa.Column("suspension_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("people", "suspension_reason")
    op.drop_index("ix_companies_renamed", table_name="companies")
    op.drop_column("companies", "renamed_at")
    op.drop_column("companies", "former_name")
