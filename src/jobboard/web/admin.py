"""Moderation: what waits, decisions about jobs, reports."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.admin import companies, queries, service
from jobboard.admin.schemas import Decision, QueueItem, ReportItem
from jobboard.infra.backlog import backlog
from jobboard.jobs import decisions
from jobboard.jobs import queries as job_queries
from jobboard.jobs.lifecycle import Party, Step, possible
from jobboard.jobs.models import JobStatus
from jobboard.schema import Input
from jobboard.settings import Settings
from jobboard.web.deps import FormDep, SessionDep, SettingsDep, local_path, redirect
from jobboard.web.desk import AdminDep, Cursor, href, outcome
from jobboard.web.formatting import label
from jobboard.web.forms import Form
from jobboard.web.marking import mark, mark_text
from jobboard.web.rendering import render

router = APIRouter(prefix="/admin", include_in_schema=False)

QUEUE = 20
REPORTS = 50
TABS = (
    JobStatus.PENDING,
    JobStatus.PUBLISHED,
    JobStatus.REJECTED,
    JobStatus.REMOVED,
    JobStatus.CLOSED,
    JobStatus.EXPIRED,
)


@dataclass(frozen=True, slots=True)
class Canned:
    """A reason to choose: what the moderator sees, and what the company reads."""

    name: str
    text: str


SEND_BACK = {
    "thin": Canned(
        "Says too little about the work",
        "Please say more about the work: what one does in a day, and what one should bring.",
    ),
    "money": Canned(
        "Asks the candidate for money",
        "Nobody may be asked to pay for a job: no fees, deposits or starter kits. "
        "Please take that out.",
    ),
    "data": Canned(
        "Asks for private data",
        "Please do not ask for bank details or copies of papers in an ad.",
    ),
    "messenger": Canned(
        "Moves the talk to a messenger",
        "Please let people apply here or on your own site, not through a private messenger.",
    ),
    "elsewhere": Canned(
        "Applications go to a foreign site",
        "The link to apply leads to a site that we cannot connect with your company. "
        "Please use your own, or leave it out: people then apply here.",
    ),
    "discriminates": Canned(
        "Shuts people out",
        "Please take out what shuts people out for their age, sex, origin, faith or health.",
    ),
    "twice": Canned(
        "Stands here already",
        "This job is on the board already. Please change the one that is there.",
    ),
}
TAKE_DOWN = {
    "scam": Canned("A scam", "This is not an honest offer of work."),
    "gone": Canned("No longer open", "The job is no longer open."),
    "offensive": Canned("Offensive", "It offends or shuts people out."),
    "twice": Canned("Stands here twice", "The same job stands on the board already."),
}


# Reasons to look that weigh most: jobs with one of them come first.
HEAVY = {"asks_money", "money_handling", "private_data", "messenger"}


class Verdict(StrEnum):
    """What a moderator decides about a job."""

    APPROVE = "approve"
    REJECT = "reject"
    REMOVE = "remove"
    RESTORE = "restore"


CANNED = {Verdict.REJECT: SEND_BACK, Verdict.REMOVE: TAKE_DOWN}
DONE = {
    Verdict.APPROVE: "“{}” is live now. The company gets an e-mail.",
    Verdict.REJECT: "“{}” went back to the company with your reason.",
    Verdict.REMOVE: "“{}” is removed. The company reads your reason.",
    Verdict.RESTORE: "“{}” waits for a decision again. The company gets an e-mail.",
}


class Seen(Input):
    """The version of a job that a moderator read."""

    version: int | None = None


@router.get("")
async def show_overview(request: Request, session: SessionDep, actor: AdminDep) -> HTMLResponse:
    """What waits, and for how long."""
    oldest = await service.queue(session, actor, JobStatus.PENDING, cursor=None, limit=1)
    reports = await service.reports(session, actor, cursor=None, limit=1)
    return render(
        request,
        "admin/overview.html",
        private=True,
        waiting=await queries.pending_count(session),
        oldest=oldest.items[0].submitted_at if oldest.items else None,
        reported=await queries.open_report_count(session),
        oldest_report=reports.items[0].created_at if reports.items else None,
        renamed=await companies.renamed_count(session),
        failed=(await backlog(session)).failed,
    )


@router.get("/data")
async def go_to_data(_actor: AdminDep) -> RedirectResponse:
    """Its pages are a mount, which begins after the slash."""
    return RedirectResponse("/admin/data/", status_code=303)


@router.get("/jobs")
async def show_queue(
    request: Request,
    session: SessionDep,
    actor: AdminDep,
    status: JobStatus = JobStatus.PENDING,
    at: UUID | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Jobs of one status; `at` is the one to look at.

    A page has those that wait longest, and of these the riskiest first.
    """
    page = await service.queue(session, actor, status, cursor=cursor, limit=QUEUE)
    items = page.items
    if status is JobStatus.PENDING:
        items = sorted(items, key=_heavy_reasons, reverse=True)  # of the same weight: by age
    ids = [item.job.id for item in items]
    here = {"status": status, "cursor": cursor}
    more = href("/admin/jobs", status=status, cursor=page.next_cursor)
    return render(
        request,
        "admin/queue.html",
        private=True,
        tabs=TABS,
        tab=status,
        items=items,
        at=at if at in ids else next(iter(ids), None),
        after=dict(zip(ids, _places(ids[1:], here), strict=False)),
        onward=more if page.next_cursor else href("/admin/jobs", status=status),
        first_href=href("/admin/jobs", status=status) if cursor else None,
        next_href=more if page.next_cursor else None,
        **_about_items(Form()),
    )


def _heavy_reasons(item: QueueItem) -> int:
    return sum(reason.code in HEAVY for reason in item.reasons)


def _places(ids: list[UUID], here: dict[str, Any]) -> list[str]:
    """The address of each job in the queue."""
    return [f"{href('/admin/jobs', **here, at=each)}#job-{each}" for each in ids]


def _about_items(form: Form) -> dict[str, Any]:
    """What the template of one job to decide about needs."""
    return {
        "form": form,
        "heavy": HEAVY,
        "canned": {str(verdict): reasons for verdict, reasons in CANNED.items()},
        "verdicts": lambda status: possible(status, Party.ADMIN),
        "marked_title": lambda item: mark_text(item.job.title, _matches(item)),
        "marked_text": lambda item: mark(item.job.description_html, _matches(item)),
    }


def _matches(item: QueueItem) -> list[str]:
    return [reason.match for reason in item.reasons if reason.match]


@router.get("/jobs/{job_id}")
async def show_job(
    request: Request, job_id: UUID, session: SessionDep, actor: AdminDep
) -> HTMLResponse:
    """One job to decide about, and what readers reported."""
    return await _job_page(request, session, actor, job_id, Form())


async def _job_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    job_id: UUID,
    form: Form,
    verdict: Verdict | None = None,
) -> HTMLResponse:
    """`form` holds what was typed for a `verdict` that lacked something."""
    item = await service.item(session, actor, job_id)
    reports = await session.scalars(job_queries.open_reports(job_id))
    return render(
        request,
        "admin/job.html",
        status=form.status,
        private=True,
        item=item,
        reports=reports.all(),
        verdict=verdict,
        onward=form.value("next", href("/admin/jobs", status=item.job.status)),
        **_about_items(form),
    )


@router.post("/jobs/{job_id}/dismiss")
async def dismiss_reports(
    request: Request, job_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> RedirectResponse:
    """Nothing is wrong with a job that was reported."""
    job, _ = await job_queries.get(session, actor, job_id)
    async with form.attempt(session):
        await decisions.dismiss_reports(session, actor, job_id)
    text = f"The reports about “{job.title}” are closed. The job stays as it is."
    return outcome(request, form, "/admin/reports", text)


@router.post("/jobs/{job_id}/{verdict}")
async def decide(
    request: Request,
    job_id: UUID,
    verdict: Verdict,
    session: SessionDep,
    actor: AdminDep,
    form: FormDep,
    settings: SettingsDep,
) -> Response:
    """Decide about a job, then go on to the next."""
    job, _ = await job_queries.get(session, actor, job_id)
    title = job.title
    async with form.attempt(session):
        await _decide(session, actor, job_id, verdict, form, settings)
    onward = local_path(form.value("next"), "/admin/jobs")
    if form.status == 409:
        return await _overtaken(request, session, actor, job_id, verdict, onward)
    if form.refused:
        return await _job_page(request, session, actor, job_id, form, verdict)
    return redirect(request, onward, DONE[verdict].format(title))


async def _decide(
    session: AsyncSession,
    actor: Actor,
    job_id: UUID,
    verdict: Verdict,
    form: Form,
    settings: Settings,
) -> None:
    seen = form.parse(Seen)
    if verdict is Verdict.APPROVE:
        await decisions.approve(session, actor, job_id, settings, version=seen.version)
        return
    if verdict is Verdict.RESTORE:
        await decisions.restore(session, actor, job_id, version=seen.version)
        return
    decision = form.parse(Decision, reason=_reason(form, verdict))
    step = decisions.reject if verdict is Verdict.REJECT else decisions.remove
    await step(session, actor, job_id, decision.reason, version=seen.version)


def _reason(form: Form, verdict: Verdict) -> str:
    """The canned words that were chosen, then one's own."""
    chosen = CANNED[verdict].get(form.value("canned"))
    own = form.value("reason").replace("\r\n", "\n").strip()
    return "\n\n".join(words for words in (chosen.text if chosen else "", own) if words)


async def _overtaken(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    job_id: UUID,
    verdict: Verdict,
    onward: str,
) -> RedirectResponse:
    """Someone was quicker. Where the decision is still possible, the job is to be read anew."""
    job, _ = await job_queries.get(session, actor, job_id)
    if Step(verdict) in possible(job.status, Party.ADMIN):
        text = f"“{job.title}” was changed while you read it. Here it is as it stands now."
        return redirect(request, f"/admin/jobs/{job_id}", text, tone="warn")
    status = label(job.status).lower()
    text = f"Someone was quicker: “{job.title}” is {status} already. Your decision was not needed."
    return redirect(request, onward, text, tone="warn")


@router.get("/reports")
async def show_reports(
    request: Request, session: SessionDep, actor: AdminDep, cursor: Cursor = None
) -> HTMLResponse:
    """What readers reported, oldest first, those about one job together."""
    page = await service.reports(session, actor, cursor=cursor, limit=REPORTS)
    by_job: dict[UUID, list[ReportItem]] = {}
    for item in page.items:
        by_job.setdefault(item.job_id, []).append(item)
    more = href("/admin/reports", cursor=page.next_cursor)
    return render(
        request,
        "admin/reports.html",
        private=True,
        groups=list(by_job.values()),
        first_href="/admin/reports" if cursor else None,
        next_href=more if page.next_cursor else None,
    )
