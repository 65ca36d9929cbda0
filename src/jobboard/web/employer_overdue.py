"""Applications that wait too long: one answer for many, read once more before it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.applications import answering
from jobboard.applications.models import Stage
from jobboard.applications.schemas import (
    Answered,
    AnswerMade,
    AnswersCreate,
    AnswersMade,
    ApplicationBrief,
)
from jobboard.applications.service import fill
from jobboard.companies import queries as companies
from jobboard.companies.models import Company
from jobboard.errors import Invalid
from jobboard.web.deps import FormDep, SessionDep, redirect
from jobboard.web.desk import Cursor, EmployerDep, href
from jobboard.web.employer_applications import STAGES, STEPS, read_box
from jobboard.web.formatting import plural
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(prefix="/employer/companies/{company_id}/overdue", include_in_schema=False)

PAGE = 50
POSSIBLE = (Stage.REJECTED, Stage.INTERVIEW, Stage.OFFER)
# To begin with: an employer writes their own words over them.
TEMPLATE = """Hello {name},

thank you for applying as {job}, and for your patience: our answer took longer than it should have.

We have decided to go on with other candidates. We wish you all the best for what comes next.

{company}"""
LABELS = {"application": "Applicants", "stage": "The answer", "message": "What you write"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What one candidate would read."""

    item: ApplicationBrief
    text: str


@router.get("")
async def show_overdue(
    request: Request,
    company_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Who waits, longest first."""
    form = Form.of({"stage": Stage.REJECTED, "message": TEMPLATE})
    return await _list_page(
        request, session, actor, company_id, form, cursor=cursor, all_ticked=True
    )


async def _list_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    company_id: UUID,
    form: Form,
    *,
    cursor: str | None = None,
    all_ticked: bool = False,
    said: str = "",
    failed: Sequence[tuple[str, str | None]] = (),
) -> HTMLResponse:
    """`said` is what went well before, and `failed` who was not answered, and why."""
    page = await answering.list_overdue(session, actor, company_id, cursor=cursor, limit=PAGE)
    here = f"/employer/companies/{company_id}/overdue"
    return render(
        request,
        "employer/overdue.html",
        status=form.status,
        private=True,
        company=await companies.get(session, company_id),
        items=page.items,
        form=form,
        labels=LABELS,
        stages=STAGES,
        answers=[(stage, STEPS[stage]) for stage in POSSIBLE],
        here=here,
        cursor=cursor,
        all_ticked=all_ticked,
        said=said,
        failed=failed,
        first_href=here if cursor else None,
        next_href=href(here, cursor=page.next_cursor) if page.next_cursor else None,
    )


@router.post("")
async def answer(
    request: Request, company_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """First show what each would read; then, if that is what was meant, send it."""
    async with form.attempt(session, {"applications": "application"}):
        form.require("message")
        data = _read(form)
        if not form.chosen("send", "yes"):
            return await _preview_page(request, session, actor, company_id, form, data)
        made = await answering.answer_many(session, actor, company_id, data)
        return await _done(request, session, actor, company_id, made)
    return await _list_page(request, session, actor, company_id, form, cursor=_cursor(form))


@router.post("/again")
async def change(
    request: Request, company_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Back from the preview, with what was chosen and written."""
    return await _list_page(request, session, actor, company_id, form, cursor=_cursor(form))


def _cursor(form: Form) -> str | None:
    """Of the page of the list on which was chosen."""
    return form.value("cursor") or None


def _read(form: Form) -> AnswersCreate:
    if not form.values("application"):
        raise Invalid.field("application", "Choose at least one applicant first.")
    boxes = [read_box(each) for each in form.values("application")]
    chosen = [Answered(id=application_id, version=version) for application_id, version in boxes]
    return form.parse(AnswersCreate, applications=chosen)


async def _preview_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    company_id: UUID,
    form: Form,
    data: AnswersCreate,
) -> HTMLResponse:
    company = await companies.get(session, company_id)
    wanted = [each.id for each in data.applications]
    items = await answering.list_chosen(session, actor, company_id, wanted)
    return render(
        request,
        "employer/overdue_preview.html",
        private=True,
        company=company,
        form=form,
        letters=[_letter(item, company, data.message or "") for item in items],
        step=STEPS[Stage(data.stage)],
        here=f"/employer/companies/{company_id}/overdue",
    )


def _letter(item: ApplicationBrief, company: Company, message: str) -> Letter:
    return Letter(
        item,
        fill(message, name=item.candidate.full_name, job=item.job.title, company=company.name),
    )


async def _done(
    request: Request, session: AsyncSession, actor: Actor, company_id: UUID, made: AnswersMade
) -> Response:
    """Say how many were answered, and of each that was not, why."""
    sent = f"{plural(made.answered, 'applicant', 'applicants')} answered. Each gets an e-mail now."
    failed = {each.id: each for each in made.items if not each.answered}
    if not failed:
        return redirect(request, f"/employer/companies/{company_id}/overdue", sent)
    form = Form.of({"stage": Stage.REJECTED, "message": TEMPLATE})
    told = await _by_name(session, actor, company_id, failed)
    said = sent if made.answered else ""
    return await _list_page(request, session, actor, company_id, form, said=said, failed=told)


async def _by_name(
    session: AsyncSession, actor: Actor, company_id: UUID, failed: dict[UUID, AnswerMade]
) -> list[tuple[str, str | None]]:
    items = await answering.list_chosen(session, actor, company_id, list(failed))
    names = {item.id: item.candidate.full_name for item in items}
    return [(names.get(each.id, "Someone"), each.detail) for each in failed.values()]
