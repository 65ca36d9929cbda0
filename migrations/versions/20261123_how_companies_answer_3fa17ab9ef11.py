"""When applications were answered, what was written with a step, and how companies answer."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "3fa17ab9ef11"
down_revision: str | Sequence[str] | None = "1004aea14cb0"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FIGURES = ("applications_counted", "applications_answered", "answer_seconds")


def upgrade() -> None:
    op.add_column(
        "application_events",
        sa.Column("message", sa.Text(), server_default="", nullable=False),
    )
    op.add_column(
        "applications", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(
        """UPDATE applications SET answered_at = first.at FROM (
            SELECT application_id, min(at) AS at FROM application_events
            WHERE side = 'company' AND stage IN ('interview', 'offer', 'hired', 'rejected')
            GROUP BY application_id) AS first
        WHERE applications.id = first.application_id"""
    )
    op.create_index(
        "ix_applications_unanswered",
        "applications",
        ["job_id", "created_at"],
        postgresql_where=sa.text("answered_at IS NULL AND stage IN ('submitted', 'viewed')"),
    )
    for name in FIGURES:
        op.add_column("companies", sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in FIGURES:
        op.drop_column("companies", name)
    op.drop_index("ix_applications_unanswered", table_name="applications")
    op.drop_column("applications", "answered_at")
    op.drop_column("application_events", "message")
