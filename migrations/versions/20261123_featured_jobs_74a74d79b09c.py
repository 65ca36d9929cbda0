"""Featured jobs: what was paid, and until when each stands first."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "74a74d79b09c"
down_revision: str | Sequence[str] | None = "6d2f0a9c71e8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "job_features",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("daily", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("days > 0 AND daily > 0", name=op.f("ck_job_features_paid_for")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_job_features_time_order")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_features_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["transfers.id"], name=op.f("fk_job_features_refund_id_transfers")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_job_features_transfer_id_transfers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_features")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_job_features_refund_id")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_job_features_transfer_id")),
    )
    op.create_index(op.f("ix_job_features_job_id"), "job_features", ["job_id"], unique=False)
    op.add_column("jobs", sa.Column("featured_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_jobs_live_featured",
        "jobs",
        ["featured_until"],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND featured_until IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_jobs_live_featured",
        table_name="jobs",
        postgresql_where=sa.text("status = 'published' AND featured_until IS NOT NULL"),
    )
    op.drop_column("jobs", "featured_until")
    op.drop_index(op.f("ix_job_features_job_id"), table_name="job_features")
    op.drop_table("job_features")
