"""Which jobs there are, and who may see which: `visible_to` is the one place that says so."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.companies.models import Company
from jobboard.companies.queries import acted_for
from jobboard.errors import NotFound
from jobboard.jobs.models import PUBLIC, Job, JobEvent, JobReport, JobStatus
from jobboard.jobs.schemas import JobRow


def visible_to(viewer: Actor | None) -> ColumnElement[bool]:
    """Everyone sees what is or was published; a company's people and admins see the rest."""
    public = Job.status.in_(PUBLIC)
    if viewer is None:
        return public
    if viewer.is_admin:
        return true()
    return or_(public, acted_for(viewer, Job.company_id))


def live() -> ColumnElement[bool]:
    """Jobs that one can find and apply to, expired ones out even before the clock marks them."""
    return and_(Job.status == JobStatus.PUBLISHED, Job.expires_at > func.now())


async def public_among(session: AsyncSession, job_ids: Collection[UUID]) -> Sequence[UUID]:
    """Those of some jobs that everyone may see."""
    found = await session.scalars(select(Job.id).where(Job.id.in_(job_ids), visible_to(None)))
    return found.all()


def _one(viewer: Actor | None) -> Select[Job, Company]:
    return (
        select(Job, Company).join(Company, Company.id == Job.company_id).where(visible_to(viewer))
    )


async def get(session: AsyncSession, viewer: Actor | None, job_id: UUID) -> tuple[Job, Company]:
    """A job that `viewer` may see, with its company, or NotFound."""
    return _found((await session.execute(_one(viewer).where(Job.id == job_id))).first())


async def get_by_slug(
    session: AsyncSession, viewer: Actor | None, slug: str
) -> tuple[Job, Company]:
    """The same by the name in its address."""
    return _found((await session.execute(_one(viewer).where(Job.slug == slug))).first())


def _found(row: Any) -> tuple[Job, Company]:
    if row is None:
        raise NotFound("There is no such job.", code="job_not_found")
    return row[0], row[1]


def of_company(
    company_id: UUID,
    statuses: Collection[JobStatus],
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Select[Any]:
    """A company's jobs as its own people list them, latest change first, one more than the page."""
    statement = (
        select(*(getattr(Job, name) for name in JobRow.model_fields))
        .where(Job.company_id == company_id, Job.status.in_(statuses))
        .order_by(Job.updated_at.desc(), Job.id.desc())
        .limit(limit + 1)
    )
    return (
        statement.where(func.row(Job.updated_at, Job.id) < func.row(*before))
        if before
        else statement
    )


async def count_by_status(session: AsyncSession, company_id: UUID) -> dict[JobStatus, int]:
    """How many jobs of a company stand where."""
    counts = await session.execute(
        select(Job.status, func.count()).where(Job.company_id == company_id).group_by(Job.status)
    )
    return dict(counts.all())


def history(job_id: UUID) -> Select[JobEvent]:
    """What happened to a job, oldest first."""
    return select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.at, JobEvent.id)


def open_reports(job_id: UUID) -> Select[JobReport]:
    """Reports that nobody has decided yet, oldest first."""
    return (
        select(JobReport)
        .where(JobReport.job_id == job_id, JobReport.resolved_at.is_(None))
        .order_by(JobReport.created_at, JobReport.id)
    )
