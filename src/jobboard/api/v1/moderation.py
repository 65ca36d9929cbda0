"""Moderation: the queue, decisions, reports, people, the audit log. For admins."""

from typing import Annotated

from fastapi import Query

from jobboard.accounts import service as accounts
from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor, PersonRead
from jobboard.admin import audit, companies, people, service
from jobboard.admin.audit import AuditRead, AuditSearch
from jobboard.admin.schemas import (
    Decision,
    NameSeen,
    PersonModeration,
    PersonOverview,
    QueueItem,
    RenamedCompany,
    ReportItem,
)
from jobboard.api.deps import LIMIT, Cursor, Limit, PathId, SessionDep, SettingsDep, Words, acts
from jobboard.api.route import Router
from jobboard.companies import service as company_service
from jobboard.companies.schemas import CompanyRead
from jobboard.jobs import decisions
from jobboard.jobs import service as jobs
from jobboard.jobs.models import JobStatus
from jobboard.jobs.schemas import JobRead
from jobboard.pagination import Page

router = Router(prefix="/admin", tags=["moderation"])

ModeratorDep = Annotated[Actor, acts(Right.MODERATE)]
VersionRead = Annotated[
    int | None, Query(description="The `version` that you read; an edit since is a 409.")
]


@router.get("/jobs")
async def list_moderation_queue(
    session: SessionDep,
    actor: ModeratorDep,
    status: Annotated[JobStatus, Query(description="Where the jobs stand.")] = JobStatus.PENDING,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[QueueItem]:
    """Jobs of one status with the reasons to look closely, longest waiting first."""
    return await service.queue(session, actor, status, cursor=cursor, limit=limit)


@router.post("/jobs/{id}/approve")
async def approve_job(
    job_id: PathId,
    session: SessionDep,
    actor: ModeratorDep,
    settings: SettingsDep,
    version: VersionRead = None,
) -> JobRead:
    """Publish a pending job."""
    await decisions.approve(session, actor, job_id, settings, version=version)
    return await jobs.read(session, actor, job_id)


@router.post("/jobs/{id}/reject")
async def reject_job(
    job_id: PathId,
    data: Decision,
    session: SessionDep,
    actor: ModeratorDep,
    version: VersionRead = None,
) -> JobRead:
    """Send a pending job back. The company reads the reason and can submit it again."""
    await decisions.reject(session, actor, job_id, data.reason, version=version)
    return await jobs.read(session, actor, job_id)


@router.post("/jobs/{id}/remove")
async def remove_job(
    job_id: PathId,
    data: Decision,
    session: SessionDep,
    actor: ModeratorDep,
    version: VersionRead = None,
) -> JobRead:
    """Take a job off the board. Only moderators can bring it back, with *restore*."""
    await decisions.remove(session, actor, job_id, data.reason, version=version)
    return await jobs.read(session, actor, job_id)


@router.post("/jobs/{id}/restore")
async def restore_job(
    job_id: PathId, session: SessionDep, actor: ModeratorDep, version: VersionRead = None
) -> JobRead:
    """Undo a rejection or a removal: the job is pending again and waits for another decision."""
    await decisions.restore(session, actor, job_id, version=version)
    return await jobs.read(session, actor, job_id)


@router.get("/reports")
async def list_reports(
    session: SessionDep, actor: ModeratorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[ReportItem]:
    """Open reports, oldest first."""
    return await service.reports(session, actor, cursor=cursor, limit=limit)


@router.get("/people")
async def list_people(
    session: SessionDep,
    actor: ModeratorDep,
    q: Words = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[PersonRead]:
    """Everyone, newest first."""
    require(actor, Right.MODERATE)
    return await accounts.list_people(session, q=q, cursor=cursor, limit=limit)


@router.get("/people/{id}")
async def get_person(person_id: PathId, session: SessionDep, actor: ModeratorDep) -> PersonOverview:
    """One person and what they have done here."""
    return await people.overview(session, actor, person_id)


@router.patch("/people/{id}")
async def update_person(
    person_id: PathId, data: PersonModeration, session: SessionDep, actor: ModeratorDep
) -> PersonRead:
    """Suspend someone, or let them back in. Their log-ins end at once."""
    return await people.moderate(session, actor, person_id, data)


@router.get("/companies")
async def list_renamed_companies(
    session: SessionDep, actor: ModeratorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[RenamedCompany]:
    """Companies with live jobs whose new name no moderator has looked at, oldest first."""
    return await companies.renamed(session, actor, cursor=cursor, limit=limit)


@router.post("/companies/{id}/name-seen")
async def mark_name_seen(
    company_id: PathId, data: NameSeen, session: SessionDep, actor: ModeratorDep
) -> CompanyRead:
    """The new name may stay. Send the one that you saw: another one since is a 409."""
    company = await company_service.see_name(session, actor, company_id, data.name)
    return CompanyRead.model_validate(company)


@router.get("/audit-log")
async def list_audit_log(
    query: Annotated[AuditSearch, Query()], session: SessionDep, actor: ModeratorDep
) -> Page[AuditRead]:
    """Who did what and when, newest first. Entries are never changed or deleted."""
    return await audit.entries(session, actor, query)
