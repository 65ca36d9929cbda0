"""A job's page, applying to it, and reporting it."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.analytics.events import Name
from jobboard.analytics.visitors import referrer_host
from jobboard.applications import queries as applications
from jobboard.applications import service as applying
from jobboard.applications.models import Application
from jobboard.applications.schemas import ApplicationCreate
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, NotFound
from jobboard.infra.rates import UPLOADS, WRITES, limited
from jobboard.jobs import public, queries, service
from jobboard.jobs.exchange.translation import Translated
from jobboard.jobs.models import JobStatus, ReportReason
from jobboard.jobs.public import Employer, Posting
from jobboard.jobs.schemas import JobCard, JobRead, ReportCreate
from jobboard.pagination import Page
from jobboard.settings import Settings
from jobboard.uploads import service as uploads
from jobboard.uploads.models import Upload
from jobboard.web.deps import (
    ActorDep,
    AddressDep,
    EnginesDep,
    EventsDep,
    FormDep,
    FreshDep,
    ReaderDep,
    SessionDep,
    SettingsDep,
    ViewerDep,
    redirect,
)
from jobboard.web.formatting import host, options
from jobboard.web.forms import UPLOAD_BODY, Form
from jobboard.web.jsonld import job_posting, script_text
from jobboard.web.me_resumes import keep_resume
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False)

OVER = {JobStatus.PUBLISHED, JobStatus.CLOSED, JobStatus.EXPIRED}  # once their time is up


@dataclass(frozen=True, slots=True)
class Shown:
    """A job as its page shows it."""

    job: JobRead
    company: Employer
    live: bool
    over: bool  # it was live once
    ours: bool  # the viewer acts for the company, or moderates
    applied: Application | None
    others: list[JobCard]  # live ones that are like it
    summary: str
    about: Translated | None  # its pay in the board's usual currency

    @property
    def apply_host(self) -> str:
        """The site where one applies, if not here."""
        return host(self.job.apply_url or "")


@dataclass(frozen=True, slots=True)
class Found:
    """A job as everybody sees it, and what is like it."""

    posting: Posting
    others: list[JobCard]


async def find_posting(slug: str, engines: EnginesDep, fresh: FreshDep) -> Found | None:
    """From the cache; None where not everybody sees it."""
    try:
        found = await engines.cache.get(public.posting(slug), fresh=fresh)
        posting = Posting.model_validate_json(found)
        alike = await engines.cache.get(public.alike(posting.job.id), fresh=fresh)
    except NotFound:
        return None
    return Found(posting, Page[JobCard].model_validate_json(alike).items)


@router.get("/jobs/{slug}")
async def show_job(
    request: Request,
    slug: str,
    found: Annotated[Found | None, Depends(find_posting)],  # before the viewer: infra/cache.py
    session: SessionDep,
    settings: SettingsDep,
    viewer: ViewerDep,
    events: EventsDep,
    reader: ReaderDep,
) -> Response:
    """The job; a preview of it for its company before it is public."""
    shown = await _shown(session, viewer, slug, found)
    came_from = referrer_host(request.headers.get("referer"), settings.base_url)
    if not shown.ours:
        await events.note(reader, Name.VIEW, shown.job.id, referrer=came_from)
    return _page(request, shown, settings, Form(), came_from)


def _page(
    request: Request,
    shown: Shown,
    settings: Settings,
    report: Form,
    came_from: str | None = None,
) -> Response:
    """`came_from` goes along to the form: its own referrer would be this page."""
    posting: Markup | None = None
    if shown.live:
        posting = script_text(job_posting(shown.job, shown.company, settings))
    return render(
        request,
        "jobs/page.html",
        status=report.status,
        private=shown.ours,
        shown=shown,
        job=shown.job,
        posting=posting,
        report=report,
        apply_href=f"{shown.job.path}/apply" + (f"?from={quote(came_from)}" if came_from else ""),
        report_reasons=options(ReportReason),
    )


async def _shown(
    session: AsyncSession, viewer: Actor | None, slug: str, found: Found | None = None
) -> Shown:
    if found is None:
        found = Found(public.posting_of(*await queries.get_by_slug(session, viewer, slug)), [])
    posting = found.posting
    job, company = posting.job, posting.company
    live = _is_live(job)
    over = job.status in OVER and not live
    return Shown(
        job=job,
        company=company,
        live=live,
        over=over,
        ours=await companies.acts_for(session, viewer, company.id),
        applied=await applications.of_person(session, viewer.id, job.id) if viewer else None,
        others=found.others,
        summary=posting.summary,
        about=posting.about,
    )


def _is_live(job: JobRead) -> bool:
    """Whether one can apply; an expired job is over even before the clock marks it."""
    return job.status is JobStatus.PUBLISHED and bool(job.expires_at and job.expires_at > now())


@router.post("/jobs/{slug}/report")
@limited(WRITES)
async def report_job(
    request: Request,
    slug: str,
    session: SessionDep,
    engines: EnginesDep,
    viewer: ViewerDep,
    form: FormDep,
    address: AddressDep,
) -> Response:
    """Tell the moderators that something is wrong with this job."""
    shown = await _shown(session, viewer, slug)
    async with form.attempt(session):
        if viewer is None:
            await engines.limiter.hit_report(address)
        await service.report(session, viewer, shown.job.id, form.parse(ReportCreate))
    if form.refused:
        return _page(request, shown, engines.settings, form)
    return redirect(request, shown.job.path, "Thank you. A moderator will look at this job.")


@dataclass(frozen=True, slots=True)
class Applying:
    """What the form to apply needs to know."""

    shown: Shown
    resumes: list[Upload]


async def _applying(session: AsyncSession, actor: Actor, slug: str) -> Applying:
    """Raises Forbidden for those who do not look for work, Conflict where one cannot apply here."""
    require(actor, Right.APPLY)
    shown = await _shown(session, actor, slug)
    if not shown.live:
        raise Conflict("This job takes no more applications.", code="job_closed")
    if shown.job.apply_url:
        raise Conflict("This company takes applications on its own site.", code="applies_elsewhere")
    return Applying(shown, list(await session.scalars(uploads.resumes_of(actor.id))))


@router.get("/jobs/{slug}/apply")
async def show_apply_form(
    request: Request,
    slug: str,
    session: SessionDep,
    settings: SettingsDep,
    actor: ActorDep,
    events: EventsDep,
    reader: ReaderDep,
    came_from: Annotated[str, Query(alias="from")] = "",
) -> Response:
    """The form, with the latest résumé chosen. `from` is the site that led to the job."""
    applying = await _applying(session, actor, slug)
    site = _site(came_from, settings)
    await events.note(reader, Name.OPEN, applying.shown.job.id, referrer=site)
    form = Form()
    form.fill("came_from", site or "")
    if applying.resumes:
        form.fill("resume_id", applying.resumes[0].id)
    return _apply_page(request, applying, settings, form)


def _site(host: str, settings: Settings) -> str | None:
    """A host as a form or an address carries it, if it is one."""
    return referrer_host(f"//{host}", settings.base_url)


def _apply_page(request: Request, about: Applying, settings: Settings, form: Form) -> Response:
    return render(
        request,
        "jobs/apply.html",
        status=form.status,
        private=True,
        shown=about.shown,
        job=about.shown.job,
        resumes=about.resumes,
        form=form,
        max_mb=settings.resume_max_mb,
    )


@router.post("/jobs/{slug}/apply", max_body_size=UPLOAD_BODY)
@limited(UPLOADS)
async def apply(
    request: Request,
    slug: str,
    session: SessionDep,
    engines: EnginesDep,
    actor: ActorDep,
    form: FormDep,
    events: EventsDep,
    reader: ReaderDep,
) -> Response:
    """Send an application. A résumé that came with it is kept even if something else is wrong."""
    about = await _applying(session, actor, slug)
    if about.shown.applied is None and form.has_file("file"):
        kept = await keep_resume(session, engines, actor, form)
        form.fill("resume_id", kept or form.value("resume_id"))
    if not form.value("consent"):
        form.error("consent", "They can only decide about you if you agree to this.")
    if not form.refused:
        async with form.attempt(session):
            data = form.parse(ApplicationCreate)
            await applying.apply(session, actor, about.shown.job.id, data)
    if form.refused:
        about = await _applying(session, actor, slug)
        return _apply_page(request, about, engines.settings, form)
    site = _site(form.value("came_from"), engines.settings)
    await events.note_application(reader, about.shown.job.id, site)
    done = f"Your application is on its way to {about.shown.company.name}."
    return redirect(request, "/me/applications", done)
