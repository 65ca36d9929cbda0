"""The verbs of moderation over the queue. Decisions about one job are `jobs.service`'s."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.admin import queries
from jobboard.admin.risk import reasons
from jobboard.admin.schemas import QueueItem, ReasonRead, ReportItem
from jobboard.companies.models import Company
from jobboard.companies.schemas import CompanyFacts
from jobboard.jobs import queries as jobs
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.schemas import read
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor


async def queue(
    session: AsyncSession, actor: Actor, status: JobStatus, *, cursor: str | None, limit: int
) -> Page[QueueItem]:
    """Jobs of one status with the reasons to look, longest waiting first."""
    require(actor, Right.MODERATE)
    statement = queries.jobs_with(status, after=read_moment_cursor(cursor), limit=limit)
    found, more = cut([(row[0], row[1]) for row in await session.execute(statement)], limit)
    last = found[-1][0] if more else None
    return Page(
        items=await _items(session, found),
        next_cursor=moment_cursor(last.submitted_at or last.created_at, last.id) if last else None,
    )


async def item(session: AsyncSession, actor: Actor, job_id: UUID) -> QueueItem:
    """One job with the reasons to look, whatever its status. Raises NotFound."""
    require(actor, Right.MODERATE)
    return (await _items(session, [await jobs.get(session, actor, job_id)]))[0]


async def _items(session: AsyncSession, found: Sequence[tuple[Job, Company]]) -> list[QueueItem]:
    approved = await queries.approved_counts(session, [company.id for _, company in found])
    reported = await queries.report_counts(session, [job.id for job, _ in found])
    return [
        QueueItem(
            job=read(job, CompanyFacts.model_validate(company)),
            reasons=[
                ReasonRead(code=reason.code, label=reason.label, match=reason.match)
                for reason in reasons(job, company, first_of_company=not approved.get(company.id))
            ],
            submitted_at=job.submitted_at,
            company_published=approved.get(company.id, 0),
            open_reports=reported.get(job.id, 0),
        )
        for job, company in found
    ]


async def reports(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[ReportItem]:
    """Open reports, oldest first."""
    require(actor, Right.MODERATE)
    rows = await session.execute(queries.reports(after=read_moment_cursor(cursor), limit=limit))
    items, more = cut([ReportItem(**row._mapping) for row in rows], limit)
    last = items[-1] if more else None
    return Page(
        items=list(items),
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )
