"""Applicants: who applied to a job, as a table or a board, and one application in full."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.applications import lifecycle, queries, service
from jobboard.applications.models import Side, Stage
from jobboard.applications.schemas import ApplicationRead, ApplicationUpdate
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, Invalid
from jobboard.jobs import queries as jobs
from jobboard.web.deps import FormDep, SessionDep, local_path, redirect
from jobboard.web.desk import Cursor, EmployerDep, href, outcome
from jobboard.web.formatting import plural
from jobboard.web.forms import Form
from jobboard.web.rendering import render
from jobboard.web.tasks import about

router = APIRouter(prefix="/employer", include_in_schema=False)

PAGE = 25
BOARD = 15  # cards of a stage; the table holds them all

# Where an application stands, in the company's words. The candidate reads others: formatting.
STAGES = {
    Stage.SUBMITTED: "New",
    Stage.VIEWED: "Viewed",
    Stage.INTERVIEW: "Interview",
    Stage.OFFER: "Offer",
    Stage.HIRED: "Hired",
    Stage.REJECTED: "Turned down",
    Stage.WITHDRAWN: "Withdrawn",
}
STEPS = {
    Stage.INTERVIEW: "Invite to interview",
    Stage.OFFER: "Make an offer",
    Stage.HIRED: "Mark as hired",
    Stage.REJECTED: "Turn down",
    Stage.VIEWED: "Look again",
}
DONE = {
    Stage.VIEWED: "{} is under review again.",
    Stage.INTERVIEW: "{} is invited to an interview and gets an e-mail now.",
    Stage.OFFER: "{} gets your offer by e-mail now.",
    Stage.HIRED: "{} is hired. Congratulations!",
    Stage.REJECTED: "{} is turned down and gets an e-mail now.",
}
UNREADABLE = "We could not read what was chosen. Load the page again and choose once more."


class View(StrEnum):
    """The two ways to look at applicants."""

    TABLE = "table"
    BOARD = "board"


@dataclass(frozen=True, slots=True)
class Next:
    """A step that the company can take: where it leads, and what its button says."""

    stage: Stage
    words: str
    danger: bool


def next_steps(stage: Stage) -> list[Next]:
    """What the company can do with an application that stands there.

    That one is viewed happens by opening it; as a step it is only the way back from a refusal.
    """
    possible = set(lifecycle.possible(stage, Side.COMPANY))
    if stage is Stage.SUBMITTED:
        possible.discard(Stage.VIEWED)
    return [
        Next(target, words, target is Stage.REJECTED)
        for target, words in STEPS.items()
        if target in possible
    ]


@router.get("/jobs/{job_id}/applicants")
async def show_applicants(
    request: Request,
    job_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    view: View = View.TABLE,
    stage: Stage | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Everyone who applied, by stage or newest first."""
    job, company = await jobs.get(session, actor, job_id)
    await companies.require(session, actor, Right.SEE_APPLICATION, company.id)
    counts = await queries.count_by_stage(session, job_id)
    path = f"/employer/jobs/{job_id}/applicants"
    here = {"view": view, "stage": stage}
    context: dict[str, Any] = {
        "job": job,
        "company": company,
        "path_here": path,
        "back": href(path, **here, cursor=cursor),
        "view": view,
        "stage": stage,
        "stages": STAGES,
        "counts": {each: counts.get(each, 0) for each in Stage},
        "total": sum(counts.values()),
        "next_steps": next_steps,
    }
    if view is View.BOARD:
        columns = await service.board(session, actor, job_id, each=BOARD)
        return render(request, "employer/board.html", private=True, columns=columns, **context)
    page = await service.list_for_job(
        session, actor, job_id, stage=stage, cursor=cursor, limit=PAGE
    )
    return render(
        request,
        "employer/applicants.html",
        private=True,
        items=page.items,
        together=_together(item.stage for item in page.items),
        first_href=href(path, **here) if cursor else None,
        next_href=href(path, **here, cursor=page.next_cursor) if page.next_cursor else None,
        **context,
    )


def _together(stages: Iterable[Stage]) -> list[tuple[Stage, str]]:
    """The steps that at least one of these can take, for many at once."""
    possible = {step.stage for stage in set(stages) for step in next_steps(stage)}
    return [(stage, words) for stage, words in STEPS.items() if stage in possible]


@router.post("/jobs/{job_id}/applicants")
async def move_applicants(
    request: Request, job_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Move all that are chosen, or none of them."""
    job, _ = await jobs.get(session, actor, job_id)
    await companies.require(session, actor, Right.SEE_APPLICATION, job.company_id)
    chosen = form.values("application")
    names: list[str] = []
    async with form.attempt(session):
        if not chosen:
            raise Invalid("Choose at least one applicant first.")
        for each in chosen:
            application_id, data = _chosen(each, form.value("stage"))
            names.append(await _move(session, actor, application_id, data))
    back = local_path(form.value("back"), f"/employer/jobs/{job_id}/applicants")
    if len(names) == 1:
        text = DONE[Stage(form.value("stage"))].format(names[0]) if not form.refused else ""
    else:
        text = f"{plural(len(names), 'applicant', 'applicants')} moved on. Each gets an e-mail now."
    return outcome(request, form, back, text)


def read_box(box: str) -> tuple[UUID, int]:
    """A ticked box holds an application's id and the version that was on the page."""
    try:
        application_id, version = box.split(":")
        return UUID(application_id), int(version)
    except ValueError:
        raise Invalid(UNREADABLE) from None


def _chosen(box: str, stage: str) -> tuple[UUID, ApplicationUpdate]:
    application_id, version = read_box(box)
    try:
        return application_id, ApplicationUpdate(stage=Stage(stage), version=version)
    except ValueError:
        raise Invalid(UNREADABLE) from None


async def _move(
    session: AsyncSession, actor: Actor, application_id: UUID, data: ApplicationUpdate
) -> str:
    """Move one of several; the candidate's name. Raises Conflict that says who is in the way."""
    application, _ = await queries.get(session, actor, application_id)
    try:
        moved = await service.change(session, actor, application_id, data)
    except Conflict:
        candidate = await session.get_one(Person, application.person_id)
        raise Conflict(
            f"Nobody was moved: {candidate.full_name} is at “{STAGES[application.stage]}” "
            "and cannot go there from that, or a colleague was quicker. Look at the list again."
        ) from None
    return moved.candidate.full_name


@router.get("/applications/{application_id}")
async def show_application(
    request: Request, application_id: UUID, session: SessionDep, actor: EmployerDep
) -> Response:
    """One application. Opening it tells the candidate that it was viewed."""
    application = await service.read(session, actor, application_id)
    return await _page(request, session, actor, application, Form())


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    application: ApplicationRead,
    form: Form,
) -> HTMLResponse:
    return render(
        request,
        "employer/application.html",
        status=form.status,
        private=True,
        form=form,
        application=application,
        stages=STAGES,
        next_steps=[] if application.notes is None else next_steps(application.stage),
        tasks=await about(session, actor, application_id=application.id),
        here=f"/employer/applications/{application.id}",
    )


@router.post("/applications/{application_id}/stage")
async def move_application(
    request: Request, application_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Move one on, from its own page or from a list."""
    back = local_path(form.value("back"), f"/employer/applications/{application_id}")
    text = ""
    async with form.attempt(session):
        _, data = _chosen(f"{application_id}:{form.value('version')}", form.value("stage"))
        moved = await service.change(session, actor, application_id, data)
        text = DONE[moved.stage].format(moved.candidate.full_name)
    if form.status == 409:
        text = await _who_was_quicker(session, actor, application_id)
        return redirect(request, back, text, tone="warn")
    return outcome(request, form, back, text)


async def _who_was_quicker(session: AsyncSession, actor: Actor, application_id: UUID) -> str:
    now = await service.read(session, actor, application_id)
    stage = STAGES[now.stage].lower()
    return (
        f"Someone was quicker: {now.candidate.full_name}'s application is at “{stage}” now. "
        "Nothing was changed. Look at its history, then decide."
    )


@router.post("/applications/{application_id}/notes")
async def add_note(
    request: Request, application_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Write something for the team."""
    async with form.attempt(session):
        form.require("note")
        await service.change(session, actor, application_id, form.parse(ApplicationUpdate))
    if form.refused:
        application = await service.read(session, actor, application_id)
        return await _page(request, session, actor, application, form)
    here = f"/employer/applications/{application_id}#notes"
    return redirect(request, here, "Your note is kept. Only your team reads it.")
