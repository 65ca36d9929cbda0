"""The employer's first page: the jobs of a company, by where they stand."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.analytics import eventreport
from jobboard.applications import queries as applications
from jobboard.companies import queries as companies
from jobboard.companies.models import Company
from jobboard.companies.schemas import CompanyBrief
from jobboard.errors import Unavailable
from jobboard.infra.engines import Engines
from jobboard.infra.mongo import asking
from jobboard.jobs import lifecycle, queries, service
from jobboard.jobs.lifecycle import Party
from jobboard.jobs.models import JobStatus
from jobboard.web.deps import EnginesDep
from jobboard.web.desk import Cursor, EmployerAloneDep, href
from jobboard.web.rendering import render

router = APIRouter(prefix="/employer", include_in_schema=False)

PAGE = 20
READERS_DAYS = 30
READERS_SECONDS = 0.5  # for the number of readers beside each job


class Tab(StrEnum):
    """What an employer tells apart."""

    LIVE = "live"
    DRAFT = "draft"
    PENDING = "pending"
    CLOSED = "closed"


STATUSES: dict[Tab, frozenset[JobStatus]] = {
    Tab.LIVE: frozenset({JobStatus.PUBLISHED}),
    Tab.DRAFT: frozenset({JobStatus.DRAFT}),
    Tab.PENDING: frozenset({JobStatus.PENDING}),
    Tab.CLOSED: frozenset(
        {JobStatus.CLOSED, JobStatus.EXPIRED, JobStatus.REJECTED, JobStatus.REMOVED}
    ),
}


async def companies_of(session: AsyncSession, actor: Actor) -> list[Company]:
    """The companies that `actor` acts for, by name."""
    return list(await session.scalars(companies.of_member(actor.id)))


def list_href(company_id: UUID, status: JobStatus) -> str:
    """The list in which a job of this status stands."""
    tab = next(tab for tab, statuses in STATUSES.items() if status in statuses)
    return href("/employer", company=company_id, tab=tab)


@router.get("")
async def show_jobs(
    request: Request,
    engines: EnginesDep,
    actor: EmployerAloneDep,
    company: UUID | None = None,
    tab: Tab | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """The jobs of one company; without a company, the way to the first one."""
    async with engines.database.transaction() as session:
        own = await companies_of(session, actor)
        if company is None and not own:
            return render(request, "employer/welcome.html", private=True)
        chosen = await companies.get(session, company) if company else own[0]
        await companies.require(session, actor, Right.SEE_JOB, chosen.id)
        counts = await _counts(session, chosen.id)
        tab = tab or next((each for each in Tab if counts[each]), Tab.LIVE)
        page = await service.list_for_company(
            session, actor, chosen.id, STATUSES[tab], cursor=cursor, limit=PAGE
        )
        job_ids = [job.id for job in page.items]
        applied = await applications.count_by_job(session, job_ids)
        overdue = await applications.count_overdue(session, chosen.id)
    here = {"company": chosen.id, "tab": tab}
    return render(
        request,
        "employer/jobs.html",
        private=True,
        own=own,
        company=CompanyBrief.model_validate(chosen),
        tab=tab,
        counts=counts,
        sent_back=counts["sent_back"],
        jobs=page.items,
        applied=applied,
        overdue=overdue,
        readers=await _readers(engines, job_ids),
        readers_days=READERS_DAYS,
        steps={job.id: lifecycle.possible(job.status, Party.MEMBER) for job in page.items},
        back=href("/employer", **here, cursor=cursor),
        first_href=href("/employer", **here) if cursor else None,
        next_href=href("/employer", **here, cursor=page.next_cursor) if page.next_cursor else None,
    )


async def _readers(engines: Engines, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often each job was read lately; nothing while MongoDB is silent or slow: the list of jobs
    does not wait for a number beside it."""
    if not job_ids:
        return {}
    try:
        async with asking(engines.mongo, READERS_SECONDS) as database:
            return await eventreport.views(database, job_ids, READERS_DAYS)
    except Unavailable:
        return {}


async def _counts(session: AsyncSession, company_id: UUID) -> dict[str, int]:
    """How many jobs each tab holds, and how many a moderator sent back."""
    by_status = await queries.count_by_status(session, company_id)
    counts: dict[str, int] = {
        tab: sum(by_status.get(status, 0) for status in STATUSES[tab]) for tab in Tab
    }
    return counts | {"sent_back": by_status.get(JobStatus.REJECTED, 0)}
