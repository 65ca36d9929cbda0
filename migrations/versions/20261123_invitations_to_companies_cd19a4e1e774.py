"""Invitations to act for a company, which nobody has answered yet."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "cd19a4e1e774"
down_revision: str | Sequence[str] | None = "c41d7a90e6b2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "company_invitations"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "owner",
                "recruiter",
                name="memberrole",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("spending_limit", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("invited_by", sa.UUID(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(email) BETWEEN 3 AND 254", name=op.f("ck_company_invitations_email_length")
        ),
        sa.CheckConstraint(
            "spending_limit >= 0", name=op.f("ck_company_invitations_spending_limit_sign")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_company_invitations_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"],
            ["people.id"],
            name=op.f("fk_company_invitations_invited_by_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_invitations")),
    )
    for column in ("company_id", "invited_by", "expires_at"):
        op.create_index(op.f(f"ix_company_invitations_{column}"), TABLE, [column], unique=False)
    op.create_index(
        "uq_company_invitations_email",
        TABLE,
        [sa.literal_column("lower(email)"), "company_id"],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table(TABLE)
