"""Why a message failed, who has it meanwhile, and what is due by the clock."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "8dcd28e89395"
down_revision: str | Sequence[str] | None = "5c0e7d21a9f4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("running_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )
    for name in ("claimed_at", "handed_over_at"):
        op.add_column("messages", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("failure", sa.String(), nullable=True))
    op.execute("UPDATE messages SET failure = 'gave_up' WHERE failed_at IS NOT NULL")
    op.create_check_constraint(
        "failure", "messages", "failure IN ('gave_up', 'stopped', 'unsure', 'refused', 'unknown')"
    )
    op.create_index(
        "ix_messages_done_at",
        "messages",
        ["done_at"],
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_failed",
        "messages",
        ["failed_at", "id"],
        postgresql_where=sa.text("failed_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_failed", table_name="messages")
    op.drop_index("ix_messages_done_at", table_name="messages")
    for name in ("failure", "handed_over_at", "claimed_at"):
        op.drop_column("messages", name)
    op.drop_table("schedules")
