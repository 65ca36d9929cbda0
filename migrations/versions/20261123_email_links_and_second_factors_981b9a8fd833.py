"""Verified addresses, links by mail, second factors, and indexes for the clean-up of log-ins."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "981b9a8fd833"
down_revision: str | Sequence[str] | None = "fb162e776920"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "email_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verify",
                "reset",
                "change",
                "undo",
                name="linkpurpose",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_email_links_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_email_links")),
    )
    op.create_index(op.f("ix_email_links_expires_at"), "email_links", ["expires_at"], unique=False)
    op.create_index(op.f("ix_email_links_person_id"), "email_links", ["person_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_recovery_codes_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(
        op.f("ix_recovery_codes_person_id"), "recovery_codes", ["person_id"], unique=False
    )
    op.create_table(
        "second_factors",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_second_factors_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factors")),
    )
    op.create_index("ix_login_sessions_ended_at", "login_sessions", ["ended_at"], unique=False)
    op.create_index("ix_login_sessions_expires_at", "login_sessions", ["expires_at"], unique=False)
    # Who was here before is trusted as before: no board locks its people out by an upgrade.
    # The default of a new column holds for the rows that are there, and touches none of them.
    op.add_column(
        "people",
        sa.Column(
            "email_verified_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=True,
        ),
    )
    op.alter_column("people", "email_verified_at", server_default=None)


def downgrade() -> None:
    op.drop_column("people", "email_verified_at")
    op.drop_index("ix_login_sessions_expires_at", table_name="login_sessions")
    op.drop_index("ix_login_sessions_ended_at", table_name="login_sessions")
    op.drop_table("second_factors")
    op.drop_index(op.f("ix_recovery_codes_person_id"), table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_index(op.f("ix_email_links_person_id"), table_name="email_links")
    op.drop_index(op.f("ix_email_links_expires_at"), table_name="email_links")
    op.drop_table("email_links")
