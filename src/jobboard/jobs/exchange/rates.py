"""The table of exchange rates.

What is there is never needed again for pay that was compared by it: jobs keep their figure, with
the day of its rate (`Job.euros_max`). Triggers of the table mark the saved searches that newer
rates concern (`alerts/refiling.py`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    Numeric,
    SmallInteger,
    Text,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.clock import now
from jobboard.errors import Invalid
from jobboard.infra import freshness
from jobboard.infra.postgres import Base, CreatedAt
from jobboard.jobs.exchange.eurofxref import Rate


class ExchangeRate(Base):
    """On that day one euro was `per_euro` of a currency, as `source` says. An amount of it in minor
    units has `digits` after the point."""

    __tablename__ = "exchange_rates"
    __table_args__ = (
        CheckConstraint("char_length(currency) = 3 AND currency <> 'EUR'", name="currency"),
        CheckConstraint("per_euro > 0", name="per_euro"),
        CheckConstraint("digits BETWEEN 0 AND 4", name="digits"),
    )

    currency: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    per_euro: Mapped[Decimal] = mapped_column(Numeric)
    digits: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[str]
    loaded_at: Mapped[CreatedAt]


BATCH = 500  # jobs in one statement
# A trigger of `jobs` fixes their pay in euros, as when a job is posted. That is no edit of theirs.
FIX = text(
    """
UPDATE jobs SET currency = currency
 WHERE id IN (SELECT id FROM jobs
               WHERE id > :after AND currency = ANY(:currencies)
                 AND coalesce(yearly_min, yearly_max) IS NOT NULL
                 AND coalesce(euros_min, euros_max) IS NULL
               ORDER BY id LIMIT :batch)
RETURNING id
"""
)
KINDS = {"currency": Text(), "day": Date(), "per_euro": Numeric(), "digits": SmallInteger()}


async def newest(session: AsyncSession) -> Sequence[ExchangeRate]:
    """The newest of each currency, by its code."""
    order = (ExchangeRate.currency, ExchangeRate.day.desc())
    found = select(ExchangeRate).ext(distinct_on(ExchangeRate.currency)).order_by(*order)
    return (await session.scalars(found)).all()


async def load(session: AsyncSession, rates: Sequence[Rate], source: str) -> int:
    """Add rates; how many are new or another. Those of the same day and currency take the place of
    what was there. Raises Invalid for days to come."""
    last = max(rate.day for rate in rates)
    if last > now().date() + timedelta(days=1):  # a day begins earlier elsewhere
        raise Invalid(f"{last} is still to come. Is that day right?")
    columns = zip(*rates, strict=True)
    given = func.unnest(
        *(
            bindparam(name, list(column), ARRAY(kind))
            for (name, kind), column in zip(KINDS.items(), columns, strict=True)
        )
    ).table_valued(*KINDS, name="given")
    added = insert(ExchangeRate).from_select(
        [*KINDS, "source"], select(given.render_derived(), literal(source))
    )
    new = {name: added.excluded[name] for name in ("per_euro", "digits", "source")}
    other = or_(*(getattr(ExchangeRate, name) != value for name, value in new.items()))
    statement = added.on_conflict_do_update(
        index_elements=["currency", "day"], set_=new | {"loaded_at": func.now()}, where=other
    )
    done = await session.execute(statement.returning(ExchangeRate.currency))
    freshness.outdate(session, freshness.JOBS)
    return len(done.all())


async def fix(session: AsyncSession, currencies: Sequence[str], after: UUID) -> list[UUID]:
    """Let jobs above an id that are paid in these currencies, and had no rate, be compared; the ids
    of a batch of them, in order."""
    asked = {"currencies": currencies, "after": after, "batch": BATCH}
    fixed = sorted((await session.scalars(FIX, asked)).all())
    freshness.outdate(session, freshness.JOBS, freshness.PAGES)
    return fixed
