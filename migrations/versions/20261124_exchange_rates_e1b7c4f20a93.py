"""Exchange rates, by which pay in different currencies is compared; those that the release has."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import insert

from jobboard.jobs.exchange.eurofxref import BANK, shipped

revision: str = "e1b7c4f20a93"
down_revision: str | Sequence[str] | None = "b8a35f0c7d12"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RATES = sa.table(
    "exchange_rates",
    sa.column("currency", sa.Text()),
    sa.column("day", sa.Date()),
    sa.column("per_euro", sa.Numeric()),
    sa.column("digits", sa.SmallInteger()),
    sa.column("source", sa.Text()),
)


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("per_euro", sa.Numeric(), nullable=False),
        sa.Column("digits", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "loaded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "char_length(currency) = 3 AND currency <> 'EUR'",
            name=op.f("ck_exchange_rates_currency"),
        ),
        sa.CheckConstraint("per_euro > 0", name=op.f("ck_exchange_rates_per_euro")),
        sa.CheckConstraint("digits BETWEEN 0 AND 4", name=op.f("ck_exchange_rates_digits")),
        sa.PrimaryKeyConstraint("currency", "day", name=op.f("pk_exchange_rates")),
    )
    given = [rate._asdict() | {"source": BANK} for rate in shipped()]
    op.execute(insert(RATES).values(given).on_conflict_do_nothing())


def downgrade() -> None:
    op.drop_table("exchange_rates")
