"""People as moderators see them: what they have done, and shutting them out."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.accounts import service as accounts
from jobboard.accounts.may import Right, require
from jobboard.accounts.models import LoginSession, Person
from jobboard.accounts.schemas import Actor, PersonRead
from jobboard.admin.schemas import CompanyPlace, PersonModeration, PersonOverview
from jobboard.applications.models import Application
from jobboard.companies.models import Company, CompanyMember
from jobboard.jobs import decisions
from jobboard.jobs.models import Job, JobReport, JobStatus

NO_REASON = "The account behind this job is suspended."
colleague = aliased(CompanyMember)


async def overview(session: AsyncSession, actor: Actor, person_id: UUID) -> PersonOverview:
    """One person and their doings. Raises NotFound, Forbidden."""
    require(actor, Right.MODERATE)
    person = await accounts.get_account(session, person_id)
    by_status = select(Job.status, func.count()).where(Job.created_by == person_id)
    seen = select(func.max(LoginSession.last_seen_at)).where(LoginSession.person_id == person_id)
    return PersonOverview(
        **accounts.read(person).model_dump(),
        suspended_at=person.suspended_at,
        suspension_reason=person.suspension_reason,
        last_seen_at=await session.scalar(seen),
        companies=[
            CompanyPlace(**row._mapping) for row in await session.execute(_places(person_id))
        ],
        jobs=dict((await session.execute(by_status.group_by(Job.status))).all()),
        applications=await _count(session, Application, person_id),
        reports=await _count(session, JobReport, person_id),
    )


async def _count(session: AsyncSession, kind: Any, person_id: UUID) -> int:
    statement = select(func.count()).select_from(kind).where(kind.person_id == person_id)
    return await session.scalar(statement) or 0


def _places(person_id: UUID) -> Select[Any]:
    """The companies that someone acts for, by name."""
    live = select(func.count()).where(
        Job.company_id == Company.id, Job.status == JobStatus.PUBLISHED
    )
    return (
        select(
            Company.id,
            Company.name,
            Company.slug,
            CompanyMember.role,
            live.scalar_subquery().label("live_jobs"),
            (~_another(person_id)).label("alone"),
        )
        .join(CompanyMember, CompanyMember.company_id == Company.id)
        .where(CompanyMember.person_id == person_id)
        .order_by(func.lower(Company.name), Company.id)
    )


def _another(person_id: UUID) -> Any:
    """Whether someone else, who is not shut out, acts for the company of the row."""
    return exists().where(
        colleague.company_id == Company.id,
        colleague.person_id != person_id,
        Person.id == colleague.person_id,
        Person.suspended_at.is_(None),
    )


async def moderate(
    session: AsyncSession, actor: Actor, person_id: UUID, data: PersonModeration
) -> PersonRead:
    """Suspend someone, with the jobs of companies that are theirs alone, or let them back in."""
    require(actor, Right.MODERATE)
    person = await accounts.set_suspended(
        session, actor, person_id, suspended=data.suspended, reason=data.reason
    )
    if data.suspended and data.remove_jobs:
        places = (await session.execute(_places(person_id))).all()
        alone = [row.id for row in places if row.alone]
        await decisions.remove_all(session, actor, alone, NO_REASON)
    return person
