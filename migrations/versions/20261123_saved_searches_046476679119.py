"""Saved searches, what they found, and where people live."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "046476679119"
down_revision: str | Sequence[str] | None = "3ce98542add7"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _moment(name: str, *, needed: bool = False) -> sa.Column:
    default = sa.text("now()") if needed else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not needed)


def upgrade() -> None:
    op.add_column("people", sa.Column("time_zone", sa.Text(), nullable=True))
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "required", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("frequency", sa.String(), nullable=False),
        _moment("since", needed=True),
        _moment("seen_at", needed=True),
        _moment("waiting_since"),
        _moment("told_at"),
        _moment("paused_at"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _moment("created_at", needed=True),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 200", name=op.f("ck_saved_searches_name_length")
        ),
        sa.CheckConstraint(
            "frequency IN ('at_once', 'daily', 'weekly')", name=op.f("ck_saved_searches_frequency")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_saved_searches_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint(
            "person_id", "fingerprint", name=op.f("uq_saved_searches_person_id_fingerprint")
        ),
    )
    op.create_index(
        "ix_saved_searches_keys",
        "saved_searches",
        ["keys"],
        postgresql_using="gin",
        postgresql_where=sa.text("paused_at IS NULL"),
    )
    op.create_index(
        "ix_saved_searches_waiting_since",
        "saved_searches",
        ["waiting_since"],
        postgresql_where=sa.text("waiting_since IS NOT NULL"),
    )
    op.create_table(
        "saved_search_jobs",
        sa.Column("saved_search_id", sa.UUID(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        _moment("found_at", needed=True),
        _moment("told_at"),
        sa.ForeignKeyConstraint(
            ["saved_search_id"],
            ["saved_searches.id"],
            name=op.f("fk_saved_search_jobs_saved_search_id_saved_searches"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["jobs.id"],
            name=op.f("fk_saved_search_jobs_job_id_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("saved_search_id", "job_id", name=op.f("pk_saved_search_jobs")),
    )
    op.create_index(op.f("ix_saved_search_jobs_job_id"), "saved_search_jobs", ["job_id"])


def downgrade() -> None:
    op.drop_table("saved_search_jobs")
    op.drop_table("saved_searches")
    op.drop_column("people", "time_zone")
