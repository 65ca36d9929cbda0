"""Mail that people do not want, mailboxes that take none, and digests that were sent."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "781df034453b"
down_revision: str | Sequence[str] | None = "8dcd28e89395"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _words(column: str, *words: str) -> sa.CheckConstraint:
    name = {"reason": "blockreason"}.get(column, column)
    return sa.CheckConstraint(f"{column} IN ({', '.join(map(repr, words))})", name=name)


def _created_at() -> sa.Column:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def upgrade() -> None:
    op.create_table(
        "mail_blocks",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name="pk_mail_blocks"),
        _words("reason", "refused", "bounced", "reported"),
    )
    op.create_index("ix_mail_blocks_created_at_id", "mail_blocks", ["created_at", "id"])
    op.create_index("uq_mail_blocks_email", "mail_blocks", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "mail_opt_outs",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        _created_at(),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name="fk_mail_opt_outs_person_id_people",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "topic", name="pk_mail_opt_outs"),
        _words("topic", "applications", "digest", "alerts"),
    )
    op.create_table(
        "company_digests",
        sa.Column("company_id", sa.UUID(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name="fk_company_digests_company_id_companies",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("company_id", "week", name="pk_company_digests"),
    )


def downgrade() -> None:
    op.drop_table("company_digests")
    op.drop_table("mail_opt_outs")
    op.drop_table("mail_blocks")
