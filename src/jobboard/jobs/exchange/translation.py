"""Pay for a year in a currency that its reader is at home in: about, and never to compare by."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.currencies import exponent
from jobboard.jobs.models import Job
from jobboard.jobs.schemas import Salary, salary_of

EURO = "EUR"
CENTS = exponent(EURO)
# The currency of most of the newest jobs, and its rate at a moment.
USUAL = text(
    """
SELECT usual.currency, rate.per_euro, rate.day AS rate_date, rate.source AS rate_source
  FROM (SELECT currency
          FROM (SELECT currency FROM live_jobs ORDER BY published_at DESC, id DESC LIMIT 500) AS new
         WHERE currency IS NOT NULL GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1)
        AS usual
  LEFT JOIN LATERAL jobboard_rate(usual.currency, :moment) AS rate ON true
"""
)


class Exchange(BaseModel):
    """What one euro was in a currency."""

    currency: str
    per_euro: Decimal = Field(examples=["1.1172"])
    rate_date: date
    rate_source: str = Field(examples=["European Central Bank"])


class Translated(BaseModel):
    """Pay for a year in minor units of a currency that it is not paid in, and whose rate it was."""

    min: int | None
    max: int | None
    currency: str
    rate_date: date | None
    rate_source: str | None


def translated(pay: Salary | None, currency: str, rate: Exchange | None) -> Translated | None:
    """None for what is paid in that currency, or where a rate is missing; euros need none."""
    if pay is None or pay.in_euros is None or pay.currency == currency:
        return None
    if rate is None and currency != EURO:
        return None
    factor = rate.per_euro if rate else Decimal(1)
    low, high = (
        None if cents is None else int((cents * factor).scaleb(exponent(currency) - CENTS))
        for cents in (pay.in_euros.min, pay.in_euros.max)
    )
    by = pay.in_euros if pay.in_euros.rate_date or not rate else rate
    return Translated(
        min=low, max=high, currency=currency, rate_date=by.rate_date, rate_source=by.rate_source
    )


async def in_usual_currency(session: AsyncSession, job: Job) -> Translated | None:
    """The pay of a job in the currency in which most of the board is paid, if that is another: by
    the rate of the same day."""
    pay = salary_of(job)
    if pay is None or pay.in_euros is None:
        return None
    day = job.rate_date and datetime.combine(job.rate_date, time(12), UTC)
    usual = (await session.execute(USUAL, {"moment": day or job.published_at})).one_or_none()
    if usual is None:
        return None
    rate = Exchange.model_validate(usual._mapping) if usual.per_euro is not None else None
    return translated(pay, usual.currency, rate)
