"""A job in numbers, by day: seen, read, begun, applied to. For the people of its company.

Applications are counted where they are, in PostgreSQL: they always agree with the list of
applicants. The rest is counted from events, which may be fewer than what people did: some do not
want to be counted.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pymongo.asynchronous.database import AsyncDatabase
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.analytics import eventreport
from jobboard.analytics.events import Name
from jobboard.analytics.schemas import Referrer
from jobboard.applications.models import Application
from jobboard.clock import first_day, now
from jobboard.companies import queries as companies
from jobboard.jobs import queries as jobs


class Numbers(BaseModel):
    """How many people did what."""

    impressions: int = Field(0, description="Saw it in a list.")
    views: int = Field(0, description="Opened its page.")
    opens: int = Field(0, description="Opened the form to apply, or the site where one applies.")
    applies: int = Field(0, description="Applied here.")


class DayNumbers(Numbers):
    """The same of one day, in UTC. A person counts once a day."""

    day: date


class JobNumbers(BaseModel):
    """A job in numbers: every day from `from` to `to`, and all of them together."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    items: list[DayNumbers]
    total: Numbers
    referrers: list[Referrer] = Field(
        description="Where people came from: those with most views first, 100 at most."
    )
    since: date = Field(alias="from")
    until: date = Field(alias="to")


@dataclass(frozen=True, slots=True)
class Applied:
    """What PostgreSQL knows: the job and its company, for a heading, and applications by day."""

    job_id: UUID
    title: str
    company: str
    since: datetime
    by_day: dict[date, int]


async def applied(session: AsyncSession, actor: Actor, job_id: UUID, days: int) -> Applied:
    """The first half. Raises NotFound, Forbidden."""
    job, company = await jobs.get(session, actor, job_id)
    await companies.require(session, actor, Right.SEE_NUMBERS, company.id)
    since = first_day(days)
    day = func.date(func.timezone("UTC", Application.created_at))
    counts = await session.execute(
        select(day, func.count())
        .where(Application.job_id == job_id, Application.created_at >= since)
        .group_by(day)
    )
    return Applied(job_id, job.title, company.name, since, dict(counts.all()))


async def of_job(database: AsyncDatabase, part: Applied) -> JobNumbers:
    """The second half, when the transaction is over: MongoDB may be slow. Raises PyMongoError."""
    events, referrers = await eventreport.of_job(database, part.job_id, part.since)
    items = []
    day, today = part.since.date(), now().date()
    while day <= today:
        seen = events.get(day, {})
        items.append(
            DayNumbers(
                day=day,
                impressions=seen.get(Name.IMPRESSION, 0),
                views=seen.get(Name.VIEW, 0),
                opens=seen.get(Name.OPEN, 0),
                applies=part.by_day.get(day, 0),
            )
        )
        day += timedelta(days=1)
    sums = {name: sum(getattr(item, name) for item in items) for name in Numbers.model_fields}
    return JobNumbers(
        items=items,
        total=Numbers(**sums),
        referrers=_with_the_rest(referrers, sums["applies"]),
        since=items[0].day,
        until=items[-1].day,
    )


def _with_the_rest(referrers: list[Referrer], applies: int) -> list[Referrer]:
    """Applications of which nobody knows whence they came go with those from this board itself."""
    known = [each for each in referrers if each.host is not None]
    rest = max(applies - sum(each.applies for each in known), 0)
    nowhere = next((each for each in referrers if each.host is None), None)
    if nowhere is None:
        unknown = Referrer(host=None, views=0, opens=0, applies=rest)
        return [*known, unknown] if rest else known
    return [
        each.model_copy(update={"applies": rest}) if each is nowhere else each for each in referrers
    ]
