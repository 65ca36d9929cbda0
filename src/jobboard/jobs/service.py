"""The verbs of jobs: create, change, submit, close, reopen, report. `decisions` has moderators'."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.queries import require_verified
from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.companies.schemas import CompanyFacts
from jobboard.errors import Invalid, require_version
from jobboard.infra.richtext import html_and_text
from jobboard.infra.slugs import unique_slug
from jobboard.jobs import lifecycle, news, points, queries, schemas
from jobboard.jobs.language import language_of
from jobboard.jobs.lifecycle import Step
from jobboard.jobs.models import Job, JobReport, JobStatus
from jobboard.jobs.places import parse_location
from jobboard.jobs.salary import yearly
from jobboard.jobs.schemas import (
    JobCreate,
    JobRead,
    JobRow,
    JobUpdate,
    ReportCreate,
    SalaryInput,
)
from jobboard.jobs.steps import move, party_of, take
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.settings import Settings

PLAIN = ("title", "location", "remote", "employment_type", "experience", "tags", "apply_url")


async def read(session: AsyncSession, viewer: Actor | None, job_id: UUID) -> JobRead:
    """One job as `viewer` may see it, or NotFound."""
    job, company = await queries.get(session, viewer, job_id)
    return schemas.read(job, CompanyFacts.model_validate(company))


async def list_for_company(
    session: AsyncSession,
    actor: Actor,
    company_id: UUID,
    statuses: Collection[JobStatus],
    *,
    cursor: str | None,
    limit: int,
) -> Page[JobRow]:
    """A company's jobs in these states, latest change first, for its own people."""
    await companies.require(session, actor, Right.SEE_JOB, company_id)
    before = read_moment_cursor(cursor)
    statement = queries.of_company(company_id, statuses, before=before, limit=limit)
    rows, more = cut((await session.execute(statement)).all(), limit)
    last = rows[-1] if more else None
    return Page(
        items=[JobRow(**row._mapping) for row in rows],
        next_cursor=moment_cursor(last.updated_at, last.id) if last else None,
    )


async def create(session: AsyncSession, actor: Actor, data: JobCreate) -> Job:
    """A draft for a company that `actor` acts for."""
    company = await companies.get_keeping_name(session, data.company_id)
    await companies.require(session, actor, Right.WRITE_JOB, company.id)
    job = Job(
        slug=unique_slug(data.title, company.name),
        company_id=company.id,
        company_name=company.name,
        created_by=actor.person_id,
        **_columns(data.model_dump(exclude={"company_id", "salary"}), data.salary),
    )
    job.language = language_of(job.title, job.description_text)
    session.add(job)
    await session.flush()
    return job


def _columns(given: dict[str, Any], salary: SalaryInput | None) -> dict[str, Any]:
    """The columns of the fields that are given, with all that is derived from them."""
    columns = {name: given[name] for name in PLAIN if name in given}
    if "description" in given:
        html, plain = html_and_text(given["description"] or "")
        columns |= {
            "description": given["description"] or "",
            "description_html": html,
            "description_text": plain,
        }
    if "location" in given:
        place = parse_location(given["location"])
        columns |= {"city": place.city, "region": place.region, "country": place.country}
        columns["places"] = points.written(place)
        if "remote" in given and given["remote"] is None and place.remote is not None:
            columns["remote"] = place.remote
    return columns | _salary_columns(salary)


def _salary_columns(salary: SalaryInput | None) -> dict[str, Any]:
    if salary is None:
        return dict.fromkeys(SALARY_COLUMNS)
    yearly_min, yearly_max = yearly(salary.min, salary.max, salary.period.value)
    return {
        "salary_text": None,
        "salary_min": salary.min,
        "salary_max": salary.max,
        "currency": salary.currency,
        "salary_period": salary.period,
        "yearly_min": yearly_min,
        "yearly_max": yearly_max,
    }


SALARY_COLUMNS = (
    "salary_text",
    "salary_min",
    "salary_max",
    "currency",
    "salary_period",
    "yearly_min",
    "yearly_max",
)


async def change(session: AsyncSession, actor: Actor, job_id: UUID, data: JobUpdate) -> Job:
    """Change what is given. A published job whose substance changes goes back to pending.

    Raises Conflict when `data.version` is no longer the job's; a change under way at the same
    moment is caught by the version column at the flush (StaleDataError).
    """
    job = await _own(session, actor, job_id)
    lifecycle.require(Step.EDIT, job.status, party_of(actor))
    require_version(job.version, data.version, "this job")
    changed = _apply(job, data)
    if changed:
        job.updated_at = now()
    if changed & lifecycle.MATERIAL:
        job.approved_at = None
        if job.status is JobStatus.PUBLISHED:
            job.submitted_at = now()
            return await move(session, actor, job, Step.EDIT, JobStatus.PENDING)
    if changed and job.status is JobStatus.PUBLISHED:
        news.published(session, [job.id])
    await session.flush()
    return job


def _apply(job: Job, data: JobUpdate) -> set[str]:
    """Set the given fields; the names of those that really changed."""
    given = data.model_dump(exclude_unset=True, exclude={"version", "salary"})
    if "tags" in given and given["tags"] is None:
        given["tags"] = []
    if "description" in given and given["description"] is None:
        given["description"] = ""
    columns = _columns(given, data.salary)
    if "salary" not in data.model_fields_set:
        columns = {name: value for name, value in columns.items() if name not in SALARY_COLUMNS}
    different = {name for name, value in columns.items() if getattr(job, name) != value}
    for name in different:
        setattr(job, name, columns[name])
    if not different.isdisjoint({"title", "description_text"}):
        job.language = language_of(job.title, job.description_text)
    return {"salary" if name in SALARY_COLUMNS else name for name in different}


async def _own(session: AsyncSession, actor: Actor, job_id: UUID) -> Job:
    """A job that `actor` acts for. Raises NotFound for what they cannot see, else Forbidden."""
    job, company = await queries.get(session, actor, job_id)
    await companies.require(session, actor, Right.WRITE_JOB, company.id)
    return job


async def submit(session: AsyncSession, actor: Actor, job_id: UUID) -> Job:
    """Hand a draft (or a rejected job, mended) to the moderators."""
    require_verified(actor)
    job = await _own(session, actor, job_id)
    if not job.description.strip():
        lifecycle.require(Step.SUBMIT, job.status, party_of(actor))
        raise Invalid.field("description", "Say what the job is before you send it in.")
    job.submitted_at = now()
    return await take(session, actor, job, Step.SUBMIT)


async def close(session: AsyncSession, actor: Actor, job_id: UUID) -> Job:
    """Take a job out of the search; its page stays and says so."""
    job = await _own(session, actor, job_id)
    return await take(session, actor, job, Step.CLOSE)


async def reopen(session: AsyncSession, actor: Actor, job_id: UUID, settings: Settings) -> Job:
    """Bring a closed or expired job back: at once if its text is the approved one, else by way
    of the moderators."""
    job = await _own(session, actor, job_id)
    target, moment = lifecycle.require(Step.REOPEN, job.status, party_of(actor)), now()
    if job.approved_at is None:
        target, job.submitted_at = JobStatus.PENDING, moment
    else:
        job.expires_at = moment + timedelta(days=settings.job_days)
    return await move(session, actor, job, Step.REOPEN, target)


async def delete_job(
    session: AsyncSession, actor: Actor, job_id: UUID, *, version: int | None = None
) -> None:
    """Throw a draft or a rejected job away. What was public is closed instead."""
    job = await _own(session, actor, job_id)
    lifecycle.require(Step.DELETE, job.status, party_of(actor))
    require_version(job.version, version, "this job")
    await session.delete(job)
    await session.flush()


async def report(
    session: AsyncSession, actor: Actor | None, job_id: UUID, data: ReportCreate
) -> JobReport:
    """Tell the moderators. The same person's second report of a job replaces the first."""
    await queries.get(session, actor, job_id)
    values = {"reason": data.reason, "note": data.note}
    statement = insert(JobReport).values(
        job_id=job_id, person_id=actor.id if actor else None, **values
    )
    if actor:
        statement = statement.on_conflict_do_update(
            index_elements=[JobReport.job_id, JobReport.person_id],
            index_where=JobReport.resolved_at.is_(None) & JobReport.person_id.is_not(None),
            set_=values,
        )
    return (await session.scalars(statement.returning(JobReport))).one()
