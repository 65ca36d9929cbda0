"""A candidate's applications: where each stands, what happened, and taking one back."""

from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts.schemas import Actor
from jobboard.applications import lifecycle, queries, service
from jobboard.applications.models import Side, Stage
from jobboard.applications.schemas import ApplicationRead, HistoryEntry
from jobboard.companies import queries as companies
from jobboard.companies.schemas import AnswerFigures, CompanyFacts
from jobboard.errors import NotFound
from jobboard.pagination import DEFAULT_LIMIT
from jobboard.uploads import service as uploads
from jobboard.web.deps import ActorDep, FormDep, SessionDep, redirect
from jobboard.web.formatting import days, plural
from jobboard.web.rendering import render
from jobboard.web.tasks import about

router = APIRouter(prefix="/me/applications", include_in_schema=False)

STEPS = {
    Stage.SUBMITTED: "You sent your application",
    Stage.VIEWED: "{company} viewed it for the first time",
    Stage.INTERVIEW: "{company} wants to meet you",
    Stage.OFFER: "{company} makes you an offer",
    Stage.HIRED: "{company} hired you",
    Stage.REJECTED: "{company} decided for someone else",
    Stage.WITHDRAWN: "You withdrew your application",
}
SECOND_LOOK = "{company} takes a second look"
NEXT = {
    Stage.SUBMITTED: "The company has not looked at it yet.",
    Stage.VIEWED: "The company has read it. An answer comes from them.",
    Stage.INTERVIEW: "The company will write to you about a time to meet.",
    Stage.OFFER: "Answer the company directly; they mark you as hired when you agree.",
    Stage.HIRED: "Congratulations.",
    Stage.REJECTED: "It did not work out this time.",
    Stage.WITHDRAWN: "The company sees that you are no longer interested.",
}


@router.get("")
async def list_applications(
    request: Request, session: SessionDep, actor: ActorDep, cursor: str | None = None
) -> Response:
    """All of one's own, newest first."""
    page = await service.list_own(session, actor, cursor=cursor, limit=DEFAULT_LIMIT)
    return render(
        request,
        "applications/list.html",
        private=True,
        page=page,
        next_steps=NEXT,
        first=cursor is None,
    )


@router.get("/{application_id}")
async def show_application(
    request: Request, application_id: UUID, session: SessionDep, actor: ActorDep
) -> Response:
    """One application with its history."""
    application = await _own(session, actor, application_id)
    resume = await uploads.get(session, application.resume_id) if application.resume_id else None
    return render(
        request,
        "applications/page.html",
        private=True,
        application=application,
        history=_told(application),
        what_next=NEXT[application.stage],
        still=_still(application),
        answers=await _answers(session, application),
        resume=resume,
        can_withdraw=_can_withdraw(application),
        tasks=await about(session, actor, application_id=application_id),
    )


@router.get("/{application_id}/withdraw")
async def confirm_withdrawal(
    request: Request, application_id: UUID, session: SessionDep, actor: ActorDep
) -> Response:
    """Ask once more, because it cannot be undone."""
    application = await _own(session, actor, application_id)
    if not _can_withdraw(application):
        return redirect(request, _path(application_id))
    return render(request, "applications/withdraw.html", private=True, application=application)


@router.post("/{application_id}/withdraw")
async def withdraw(
    request: Request,
    application_id: UUID,
    session: SessionDep,
    actor: ActorDep,
    _form: FormDep,
) -> Response:
    """Take it back."""
    await service.withdraw(session, actor, application_id)
    return redirect(request, _path(application_id), "You withdrew your application.")


async def _own(session: AsyncSession, actor: Actor, application_id: UUID) -> ApplicationRead:
    """Raises NotFound for those of others: whoever acts for the company reads them elsewhere."""
    application, _ = await queries.get(session, actor, application_id)
    if application.person_id != actor.id:
        raise NotFound("There is no such application.", code="application_not_found")
    return await service.read(session, actor, application_id)


def _told(application: ApplicationRead) -> list[tuple[HistoryEntry, str]]:
    """Each step with its words."""
    told = []
    rejected = False
    for step in application.history:
        words = SECOND_LOOK if rejected and step.stage is Stage.VIEWED else STEPS[step.stage]
        told.append((step, words.format(company=application.job.company.name)))
        rejected |= step.stage is Stage.REJECTED
    return told


def _still(application: ApplicationRead) -> str:
    """For how long nothing has moved, where something should: "for 12 days"."""
    waited = days(application.updated_at)
    if application.stage not in lifecycle.ACTIVE or not waited:
        return ""
    return f"for {plural(waited, 'day', 'days')}"


async def _answers(session: AsyncSession, application: ApplicationRead) -> AnswerFigures | None:
    """What one may expect of the company, while one waits for it."""
    if application.stage not in lifecycle.WAITING or application.answered_at:
        return None
    company = await companies.get(session, application.job.company.id)
    return CompanyFacts.model_validate(company).answers


def _can_withdraw(application: ApplicationRead) -> bool:
    return Stage.WITHDRAWN in lifecycle.possible(application.stage, Side.CANDIDATE)


def _path(application_id: UUID) -> str:
    return f"/me/applications/{application_id}"
