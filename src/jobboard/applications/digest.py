"""A company's week by mail: who applied, who waits longest for an answer, who looked.

The mark of a week is written in the transaction that queues its mails, so that a company gets one
digest a week, whatever runs twice.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person
from jobboard.applications.models import Application, CompanyDigest, Stage
from jobboard.clock import now
from jobboard.companies import news
from jobboard.companies.models import Company, CompanyMember
from jobboard.jobs.models import Job

KIND = "employer_digest"
UNANSWERED = (Stage.SUBMITTED, Stage.VIEWED)
LONGEST = 5
WEEK = timedelta(days=7)
KEEP = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Week:
    """The seven days before the Monday `ends`, in UTC."""

    ends: date

    @property
    def until(self) -> datetime:
        """The midnight that they end with."""
        return datetime.combine(self.ends, time.min, UTC)

    @property
    def since(self) -> datetime:
        """The midnight that they begin with."""
        return self.until - WEEK


def last_week() -> Week:
    """The one that ended with the last Monday's first hour."""
    today = now().date()
    return Week(today - timedelta(days=today.weekday()))


@dataclass(frozen=True, slots=True)
class Numbers:
    """What PostgreSQL knows of a company's week."""

    company: str
    applied: int
    waiting: int
    longest: list[dict[str, Any]]
    job_ids: list[UUID]


async def due(session: AsyncSession, week: Week) -> list[UUID]:
    """Companies with something to tell that have not been told yet."""
    something = exists().where(
        Job.company_id == Company.id,
        Application.job_id == Job.id,
        or_(Application.created_at >= week.since, Application.stage.in_(UNANSWERED)),
    )
    told = exists().where(CompanyDigest.company_id == Company.id, CompanyDigest.week == week.ends)
    someone = exists().where(CompanyMember.company_id == Company.id)
    statement = select(Company.id).where(something, someone, ~told).order_by(Company.id)
    return list(await session.scalars(statement))


async def gather(session: AsyncSession, company_id: UUID, week: Week) -> Numbers:
    """A company's week, but for what was looked at."""
    mine = select(Application.id).join(Job).where(Job.company_id == company_id)
    counts = (
        select(
            func.count().filter(
                Application.created_at >= week.since, Application.created_at < week.until
            ),
            func.count().filter(Application.stage.in_(UNANSWERED)),
            func.max(Job.company_name),
        )
        .join(Job, Job.id == Application.job_id)
        .where(Job.company_id == company_id)
    )
    applied, waiting, name = (await session.execute(counts)).one()
    oldest = (
        select(Application.id, Application.created_at, Job.title, Person.full_name)
        .join(Job, Job.id == Application.job_id)
        .join(Person, Person.id == Application.person_id)
        .where(Application.id.in_(mine), Application.stage.in_(UNANSWERED))
        .order_by(Application.created_at, Application.id)
        .limit(LONGEST)
    )
    longest = [
        {
            "id": str(row.id),
            "candidate": row.full_name,
            "title": row.title,
            "days": (now() - row.created_at).days,
        }
        for row in await session.execute(oldest)
    ]
    live = select(Job.id).where(
        Job.company_id == company_id, Job.published_at < week.until, Job.expires_at >= week.since
    )
    return Numbers(name, applied, waiting, longest, list(await session.scalars(live)))


async def send(
    session: AsyncSession, company_id: UUID, week: Week, numbers: Numbers, views: int | None
) -> None:
    """Queue the mails of a company's people, once for each week."""
    mark = insert(CompanyDigest).values(company_id=company_id, week=week.ends)
    first = mark.on_conflict_do_nothing().returning(CompanyDigest.week)
    if await session.scalar(first) is None or not (numbers.applied or numbers.waiting):
        return
    data = {
        "company": numbers.company,
        "applied": numbers.applied,
        "waiting": numbers.waiting,
        "longest": numbers.longest,
        "views": views,
        "since": _day(week.since.date()),
        "until": _day(week.ends - timedelta(days=1)),
    }
    news.tell(session, company_id, KIND, data)


def _day(day: date) -> str:
    """16 November"""
    return f"{day.day} {day:%B}"


async def forget_old(session: AsyncSession) -> None:
    """Delete marks that nothing asks for any more."""
    await session.execute(delete(CompanyDigest).where(CompanyDigest.week < now().date() - KEEP))
