"""Addresses that accounts have left are kept for them for a while."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "3ce98542add7"
down_revision: str | Sequence[str] | None = "cd19a4e1e774"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "left_addresses"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_left_addresses_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_left_addresses")),
    )
    for column in ("person_id", "kept_until"):
        op.create_index(op.f(f"ix_left_addresses_{column}"), TABLE, [column], unique=False)
    op.create_index("ix_left_addresses_email", TABLE, [sa.literal_column("lower(email)")])
    # Links to undo a move that are out already: their addresses are kept, too.
    op.execute(
        "INSERT INTO left_addresses (person_id, email, left_at, kept_until) "
        "SELECT person_id, email, created_at, expires_at FROM email_links WHERE purpose = 'undo'"
    )


def downgrade() -> None:
    op.drop_table(TABLE)
