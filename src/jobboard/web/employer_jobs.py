"""Writing a job: the form, its preview, and the steps that a company takes with it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.applications import queries as applications
from jobboard.companies import queries as companies
from jobboard.companies.models import Company
from jobboard.errors import NotFound
from jobboard.jobs import featuring, lifecycle, queries, service
from jobboard.jobs.lifecycle import Party
from jobboard.jobs.models import EmploymentType, Experience, Job, JobStatus, PayPeriod, Workplace
from jobboard.jobs.schemas import FeatureCreate, JobCreate, JobUpdate
from jobboard.wallet import queries as wallets
from jobboard.web import formatting
from jobboard.web.deps import FormDep, SessionDep, SettingsDep, local_path, redirect
from jobboard.web.desk import EmployerDep, href, outcome
from jobboard.web.employer import companies_of, list_href
from jobboard.web.forms import Form
from jobboard.web.money import money_text
from jobboard.web.rendering import engines_of, render
from jobboard.web.search import CURRENCIES
from jobboard.web.tasks import about
from jobboard.web.wallet import claim_form

router = APIRouter(prefix="/employer/jobs", include_in_schema=False)

LABELS = {
    "company_id": "Company",
    "title": "Title",
    "description": "Description",
    "location": "Place",
    "remote": "Workplace",
    "employment_type": "Contract",
    "experience": "Experience",
    "salary.min": "Pay from",
    "salary.max": "Pay up to",
    "salary.currency": "Currency",
    "salary.period": "Pay is for",
    "tags": "Tags",
    "apply_url": "Link to apply elsewhere",
}
PAY = [name for name in LABELS if name.startswith("salary.")]
EMPTY = {"salary.currency": "EUR", "salary.period": "year"}

Verb = Callable[[AsyncSession, Actor, UUID], Awaitable[Any]]


def fields_of(job: Job) -> dict[str, Any]:
    """What stands in the form of a job."""
    return {
        "title": job.title,
        "description": job.description,
        "location": job.location,
        "remote": job.remote,
        "employment_type": job.employment_type,
        "experience": job.experience,
        "salary.min": money_text(job.salary_min, job.currency),
        "salary.max": money_text(job.salary_max, job.currency),
        "salary.currency": job.currency or EMPTY["salary.currency"],
        "salary.period": job.salary_period or EMPTY["salary.period"],
        "tags": ", ".join(job.tags),
        "apply_url": job.apply_url,
    }


@router.get("/new")
async def show_new_job(
    request: Request,
    session: SessionDep,
    actor: EmployerDep,
    company: UUID | None = None,
    copy: UUID | None = None,
) -> Response:
    """An empty form, or one that is filled in like another job."""
    own = await companies_of(session, actor)
    if not own:
        text = "Tell us first who offers the job."
        return redirect(request, "/employer/companies/new", text, tone="info")
    values: dict[str, Any] = EMPTY
    if copy is not None:
        job, of = await queries.get(session, actor, copy)
        await companies.require(session, actor, Right.SEE_JOB, of.id)
        values, company = fields_of(job), of.id
    form = Form.of(values | {"company_id": company or own[0].id})
    return _new_page(request, form, own)


def _new_page(request: Request, form: Form, own: list[Company]) -> HTMLResponse:
    return render(
        request,
        "employer/new_job.html",
        status=form.status,
        private=True,
        form=form,
        companies=[(str(company.id), company.name) for company in own],
        **_choices(form),
    )


def _choices(form: Form) -> dict[str, Any]:
    """What the lists of the form offer; of currencies the usual ones, and the one chosen."""
    chosen = form.value("salary.currency", EMPTY["salary.currency"])
    return {
        "labels": LABELS,
        "workplaces": formatting.options(Workplace),
        "contracts": formatting.options(EmploymentType),
        "levels": formatting.options(Experience),
        "periods": formatting.options(PayPeriod),
        "currencies": [(code, code) for code in dict.fromkeys([*CURRENCIES, chosen])],
    }


@router.post("/new")
async def create_job(
    request: Request, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Keep a draft, and hand it in if that was asked."""
    job = await _create(session, actor, form)
    if job is None:
        return _new_page(request, form, await companies_of(session, actor))
    return _saved(request, form, job, before=JobStatus.DRAFT)


async def _create(session: AsyncSession, actor: Actor, form: Form) -> Job | None:
    async with form.attempt(session):
        job = await service.create(session, actor, form.parse(JobCreate))
        if form.value("do") == "submit":
            await service.submit(session, actor, job.id)
        return job
    return None


def _saved(request: Request, form: Form, job: Job, *, before: JobStatus) -> RedirectResponse:
    """Where one goes after saving, and what is said there."""
    edit = f"/employer/jobs/{job.id}"
    if form.value("do") == "preview":
        return redirect(request, f"{edit}/preview")
    if job.status is JobStatus.PENDING and before is not JobStatus.PENDING:
        text = f"“{job.title}” is with the moderators now. You get an e-mail when it is live."
        if before is JobStatus.PUBLISHED:
            text = f"Saved. A moderator looks at “{job.title}” once more before it is live again."
        return redirect(request, list_href(job.company_id, job.status), text)
    if job.status is JobStatus.DRAFT:
        return redirect(request, edit, "The draft is saved. Nobody else sees it yet.")
    return redirect(request, edit, "Your changes are saved.")


@router.get("/{job_id}")
async def show_job(
    request: Request, job_id: UUID, session: SessionDep, actor: EmployerDep
) -> HTMLResponse:
    """The form of a job, where it stands, and what can be done with it."""
    job, company = await _own(session, actor, job_id)
    form = Form.of(fields_of(job) | {"version": job.version})
    return await _edit_page(request, session, actor, form, job, company)


async def _own(session: AsyncSession, actor: Actor, job_id: UUID) -> tuple[Job, Company]:
    job, company = await queries.get(session, actor, job_id)
    await companies.require(session, actor, Right.WRITE_JOB, company.id)
    return job, company


async def _edit_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form: Form,
    job: Job,
    company: Company,
) -> HTMLResponse:
    # Saving on after a conflict is said to replace what the colleague wrote: it needs the new
    # version. After any other refusal the version that was read must stay the guard.
    conflict = form.status == 409 and form.value("version") != str(job.version)
    counts = await applications.count_by_job(session, [job.id])
    return render(
        request,
        "employer/job.html",
        status=form.status,
        private=True,
        form=form,
        job=job,
        company=company,
        conflict=conflict,
        theirs=_theirs(form, job) if conflict else [],
        version=job.version if conflict else form.value("version"),
        steps=lifecycle.possible(job.status, Party.MEMBER),
        applied=counts.get(job.id, 0),
        back=list_href(company.id, job.status),
        tasks=await about(session, actor, job_id=job.id),
        featured=job.featured_until is not None and not formatting.past(job.featured_until),
        feature_key=uuid4(),
        **await _payment(request, session, actor, company),
        **_choices(form),
    )


async def _payment(
    request: Request, session: AsyncSession, actor: Actor, company: Company
) -> dict[str, Any]:
    """What a featured day costs, and the wallet that pays for it, for those who may spend of it."""
    wallet = await wallets.of_company(session, company.id)
    price = formatting.money(engines_of(request).settings.feature_price, wallet.currency)
    try:
        purse = await wallets.get(session, actor, wallet.id)
    except NotFound:
        purse = None
    return {"feature_price": price, "purse": purse}


@router.post("/{job_id}/features")
async def feature_job(
    request: Request,
    job_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    form: FormDep,
    settings: SettingsDep,
) -> RedirectResponse:
    """Pay for days in which the job stands among the first."""
    await _own(session, actor, job_id)
    async with form.attempt(session):
        await claim_form(request, session, actor, form)
        data = form.parse(FeatureCreate)
        await featuring.feature(session, actor, job_id, data, settings)
    text = "The job is featured: it has its turn among the first of each search that finds it."
    return outcome(request, form, f"/employer/jobs/{job_id}", text)


@router.get("/{job_id}/preview")
async def preview_job(job_id: UUID, session: SessionDep, actor: EmployerDep) -> RedirectResponse:
    """The job's own page: to its company it shows itself in every state, and says in which."""
    job, _ = await _own(session, actor, job_id)
    return RedirectResponse(f"/jobs/{job.slug}", status_code=303)


def _theirs(form: Form, job: Job) -> list[tuple[str, str]]:
    """The fields in which what is stored differs from what was typed: name, and what is stored."""
    stored = fields_of(job)
    return [
        (label, _words(job, name, stored[name]))
        for name, label in LABELS.items()
        if name in stored and _plain(stored[name]) != _plain(form.value(name))
    ]


def _plain(value: Any) -> str:
    return str(value or "").replace("\r\n", "\n").strip()


def _words(job: Job, name: str, value: Any) -> str:
    if name == "salary.period" and job.salary_period:
        return formatting.label(job.salary_period)
    if name in {"remote", "employment_type", "experience"} and value:
        return formatting.label(value)
    return str(value or "")


@router.post("/{job_id}")
async def change_job(
    request: Request, job_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Save the form, and hand the job in if that was asked."""
    job, company = await _own(session, actor, job_id)
    before = job.status
    async with form.attempt(session):
        await service.change(session, actor, job_id, _update(form, job))
        if form.value("do") == "submit":
            await service.submit(session, actor, job_id)
    job, company = await _own(session, actor, job_id)
    if form.refused:
        return await _edit_page(request, session, actor, form, job, company)
    return _saved(request, form, job, before=before)


def _update(form: Form, job: Job) -> JobUpdate:
    """What was typed. Pay that nobody touched is left out: of an imported job it also holds the
    words that it came in, and a form in figures would lose them."""
    data = form.parse(JobUpdate)
    stored = fields_of(job)
    if all(_plain(stored[name]) == _plain(form.value(name)) for name in PAY):
        given = data.model_dump(exclude_unset=True, exclude={"salary"})
        return JobUpdate.model_validate(given)
    return data


@router.post("/{job_id}/submit")
async def submit_job(
    request: Request, job_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Hand a draft in as it is."""
    text = "“{}” is with the moderators now. You get an e-mail when it is live."
    return await _take(request, session, actor, form, job_id, service.submit, text)


@router.post("/{job_id}/close")
async def close_job(
    request: Request, job_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Take a job out of the search."""
    text = "“{}” is closed. Its page stays and says so."
    return await _take(request, session, actor, form, job_id, service.close, text)


@router.post("/{job_id}/reopen")
async def reopen_job(
    request: Request,
    job_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    form: FormDep,
    settings: SettingsDep,
) -> RedirectResponse:
    """Bring a job back."""
    job, _ = await _own(session, actor, job_id)
    text = "“{}” is live again."
    if job.approved_at is None:
        text = "“{}” is with the moderators, since its text changed after they approved it."
    reopen = partial(service.reopen, settings=settings)
    return await _take(request, session, actor, form, job_id, reopen, text)


@router.post("/{job_id}/delete")
async def delete_job(
    request: Request, job_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Throw a draft away."""
    text = "“{}” is deleted."
    return await _take(request, session, actor, form, job_id, service.delete_job, text)


async def _take(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form: Form,
    job_id: UUID,
    verb: Verb,
    text: str,
) -> RedirectResponse:
    """One step in a job's life, then back to the list."""
    job, company = await _own(session, actor, job_id)
    title = job.title
    async with form.attempt(session):
        await verb(session, actor, job_id)
    back = local_path(form.value("back"), href("/employer", company=company.id))
    return outcome(request, form, back, text.format(title))
