"""Applications, for both sides."""

from typing import Annotated

from fastapi import Query

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import LIMIT, Cursor, Limit, PathId, SessionDep, acts
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.applications import answering, service
from jobboard.applications.models import Stage
from jobboard.applications.schemas import (
    AnswersCreate,
    AnswersMade,
    ApplicationBrief,
    ApplicationCreate,
    ApplicationRead,
    ApplicationUpdate,
)
from jobboard.pagination import Page

router = Router(tags=["applications"])

ReaderDep = Annotated[Actor, acts(Right.SEE_APPLICATION)]
CandidateDep = Annotated[Actor, acts(Right.APPLY)]
CompanyDep = Annotated[Actor, acts(Right.ANSWER_APPLICATION)]


@router.post("/jobs/{id}/applications", status_code=201, dependencies=[IDEMPOTENT])
async def create_application(
    job_id: PathId, data: ApplicationCreate, session: SessionDep, actor: CandidateDep
) -> ApplicationRead:
    """Apply, once. Send a letter, a résumé from POST /resumes, or both."""
    application = await service.apply(session, actor, job_id, data)
    return await service.read(session, actor, application.id)


@router.get("/jobs/{id}/applications")
async def list_applications(
    job_id: PathId,
    session: SessionDep,
    actor: ReaderDep,
    stage: Annotated[Stage | None, Query(description="Only those that stand there.")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[ApplicationBrief]:
    """The applications for a job, newest first, for the people of its company."""
    return await service.list_for_job(
        session, actor, job_id, stage=stage, cursor=cursor, limit=limit
    )


@router.get("/companies/{id}/overdue-applications")
async def list_overdue_applications(
    company_id: PathId,
    session: SessionDep,
    actor: ReaderDep,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[ApplicationBrief]:
    """Applications that have waited for an answer for more than two weeks, longest first."""
    return await answering.list_overdue(session, actor, company_id, cursor=cursor, limit=limit)


@router.post("/companies/{id}/answers")
async def answer_applications(
    company_id: PathId, data: AnswersCreate, session: SessionDep, actor: CompanyDep
) -> AnswersMade:
    """Answer many at once: each takes the step, gets the mail, and has it in its history.

    One that cannot is told apart, and stops none of the others. Each hears once: sent again, the
    same answer is refused for those that have it.
    """
    return await answering.answer_many(session, actor, company_id, data)


@router.get("/applications/{id}")
async def get_application(
    application_id: PathId, session: SessionDep, actor: ReaderDep
) -> ApplicationRead:
    """One application with its history. When the company first reads it, it becomes viewed."""
    return await service.read(session, actor, application_id)


@router.patch("/applications/{id}")
async def update_application(
    application_id: PathId,
    data: ApplicationUpdate,
    session: SessionDep,
    actor: CompanyDep,
    match: IfMatchDep,
) -> ApplicationRead:
    """Move an application on, note something about it, or both. For the company."""
    data.version = await match.version(
        lambda: service.read(session, actor, application_id), data.version
    )
    return await service.change(session, actor, application_id, data)


@router.post("/applications/{id}/withdraw")
async def withdraw_application(
    application_id: PathId, session: SessionDep, actor: CandidateDep
) -> ApplicationRead:
    """Take my application back."""
    return await service.withdraw(session, actor, application_id)
