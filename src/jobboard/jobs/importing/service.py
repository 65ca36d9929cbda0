"""Writes imported jobs: in bulk, and so that the same source again changes nothing."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.infra import freshness
from jobboard.infra.richtext import each_html_and_text
from jobboard.infra.slugs import slugify, unique_slug
from jobboard.jobs import news, points
from jobboard.jobs.importing.model import ImportedJob, Reading, Rejected
from jobboard.jobs.language import language_of
from jobboard.jobs.models import EmploymentType, Experience, Job, JobStatus, PayPeriod, Workplace
from jobboard.jobs.salary import yearly
from jobboard.settings import Settings

BATCH = 200  # rows in one statement
Key = tuple[str, str]

# What an update leaves alone: where the job stands in its life is the board's to say.
_KEPT = frozenset({"slug", "source", "external_id", "status", "published_at", "expires_at"})


@dataclass(slots=True)
class Summary:
    """How many rows became what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """A job that an earlier import left."""

    content_hash: bytes | None
    status: JobStatus


@dataclass(slots=True)
class _Import:
    """One run: what it is for, and what it has seen."""

    session: AsyncSession
    settings: Settings
    reject: Callable[[Rejected], None]
    summary: Summary = field(default_factory=Summary)
    seen: dict[Key, ImportedJob] = field(default_factory=dict)
    companies: dict[str, tuple[UUID, str]] = field(default_factory=dict)


async def import_jobs(
    session: AsyncSession,
    rows: Iterable[Reading],
    settings: Settings,
    *,
    reject: Callable[[Rejected], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
    renderer: Executor | None = None,
) -> Summary:
    """Create what is new and update what changed, published at once under the posted date.

    `reject` gets each row that is not taken, `progress` the number of rows done so far. Jobs
    that a moderator removed stay removed. `renderer` makes the HTML: a second process where
    one is at hand, else a thread.
    """
    run = _Import(session, settings, reject)
    readings = iter(rows)
    loop = asyncio.get_running_loop()
    batch, done = list(islice(readings, BATCH)), 0
    columns: list[dict[str, Any]] = []
    while batch or columns:
        changed: list[ImportedJob] = []
        if batch:
            changed = await _compare(run, batch)
            done += len(batch)
            progress(done)
        # Three batches at once: one is written, the next is rendered, the one after is read.
        batch, texts, _ = await asyncio.gather(
            asyncio.to_thread(lambda: list(islice(readings, BATCH))),
            loop.run_in_executor(
                renderer, each_html_and_text, [job.description for job in changed]
            ),
            _upsert(run, columns),
        )
        columns = [_columns(run, job, *text) for job, text in zip(changed, texts, strict=True)]
    return run.summary


def _refuse(run: _Import, row: Rejected) -> None:
    run.summary.rejected += 1
    run.reject(row)


async def _compare(run: _Import, batch: list[Reading]) -> list[ImportedJob]:
    """Count what each job is to the board; those that are new or have changed."""
    first = dict(_first_of_each(run, _taken(run, batch)))
    known = await _known(run.session, first)
    await _renew(run, known)
    changed = [job for key, job in first.items() if _has_changed(run, job, known.get(key))]
    await _know_companies(run, {job.company for job in changed})
    new = sum((job.source, job.external_id) not in known for job in changed)
    run.summary.created += new
    run.summary.updated += len(changed) - new
    return changed


def _taken(run: _Import, batch: list[Reading]) -> Iterator[ImportedJob]:
    for row in batch:
        if isinstance(row, ImportedJob):
            yield row
        else:
            _refuse(run, row)


def _first_of_each(run: _Import, jobs: Iterable[ImportedJob]) -> Iterator[tuple[Key, ImportedJob]]:
    """The jobs that were not in the source before. A repeat is unchanged, or contradicts.

    Some sources give a job one id and a row for each country: these are ads of their own.
    """
    for job in jobs:
        first = run.seen.get((job.source, job.external_id), job)
        if first.location_text != job.location_text:
            job = replace(job, external_id=f"{job.external_id} in {job.location_text}")
        first = run.seen.setdefault((job.source, job.external_id), job)
        if first is job:
            yield (job.source, job.external_id), job
        elif first.content_hash == job.content_hash:
            run.summary.unchanged += 1
        else:
            reason = f"its id {job.external_id} stands in this source already, with another text"
            _refuse(run, Rejected(job.row, reason, asdict(job)))


async def _known(session: AsyncSession, keys: Iterable[Key]) -> dict[Key, _Known]:
    found = await session.execute(
        select(Job.source, Job.external_id, Job.content_hash, Job.status).where(
            tuple_(Job.source, Job.external_id).in_(list(keys))
        )
    )
    return {
        (source, key): _Known(digest, status)
        for source, key, digest, status in found
        if source is not None and key is not None
    }


async def _renew(run: _Import, known: Iterable[Key]) -> None:
    """Let what still stands in its source live on. What has ended stays ended.

    Locked in order, so that two imports at once wait for each other.
    """
    moment = now()
    live = (
        select(Job.id)
        .where(
            tuple_(Job.source, Job.external_id).in_(list(known)),
            Job.status == JobStatus.PUBLISHED,
            Job.expires_at > moment,
        )
        .order_by(Job.source, Job.external_id)
        .with_for_update()
    )
    if ids := (await run.session.scalars(live)).all():
        until = moment + timedelta(days=run.settings.job_days)
        await run.session.execute(update(Job).where(Job.id.in_(ids)).values(expires_at=until))
        freshness.outdate(run.session, freshness.JOBS, freshness.PAGES)


def _has_changed(run: _Import, job: ImportedJob, known: _Known | None) -> bool:
    if known is None:
        return True
    if known.content_hash == job.content_hash:
        run.summary.unchanged += 1
        return False
    if known.status is JobStatus.REMOVED:
        _refuse(run, Rejected(job.row, "a moderator took this job off the board", asdict(job)))
        return False
    return True


def _normal(name: str) -> str:
    """One employer's name, whoever wrote it: case and spaces do not make another company."""
    return " ".join(name.casefold().split())


async def _know_companies(run: _Import, names: set[str]) -> None:
    """Make the companies that are not there yet, once for each name."""
    missing = {_normal(name): name for name in sorted(names)}
    missing = {key: name for key, name in missing.items() if key not in run.companies}
    for make_slug in (slugify, unique_slug):  # the plain address, unless another company has it
        missing = {key: name for key, name in missing.items() if key not in run.companies}
        if not missing:
            return
        rows = [
            {"name": name, "imported_name": key, "slug": make_slug(name) or unique_slug()}
            for key, name in sorted(missing.items())
        ]
        await run.session.execute(insert(Company).values(rows).on_conflict_do_nothing())
        found = await run.session.execute(
            select(Company.imported_name, Company.id, Company.name)
            .where(Company.imported_name.in_(missing))
            .with_for_update(read=True, key_share=True)  # the rows to come carry these names
        )
        run.companies |= {key: (company_id, name) for key, company_id, name in found if key}


def _columns(run: _Import, job: ImportedJob, html: str, plain: str) -> dict[str, Any]:
    """A row of the table of jobs."""
    company_id, company_name = run.companies[_normal(job.company)]
    return {
        "slug": unique_slug(job.title),
        "company_id": company_id,
        "company_name": company_name,
        "title": job.title,
        "description": job.description,
        "description_html": html,
        "description_text": plain,
        "language": language_of(job.title, plain),
        "location": job.location_text,
        "city": job.location.city,
        "region": job.location.region,
        "country": job.location.country,
        "places": points.written(job.location),
        "remote": job.remote and Workplace(job.remote),
        "employment_type": job.employment_type and EmploymentType(job.employment_type),
        "experience": job.experience and Experience(job.experience),
        "tags": list(job.tags),
        "apply_url": job.apply_url,
        "source": job.source,
        "external_id": job.external_id,
        "content_hash": job.content_hash,
        **_pay(job),
        **_dates(job.posted_at, run.settings),
    }


def _pay(job: ImportedJob) -> dict[str, Any]:
    pay = job.salary
    low, high = yearly(pay.min, pay.max, pay.period) if pay else (None, None)
    return {
        "salary_text": job.salary_text,
        "salary_min": pay.min if pay else None,
        "salary_max": pay.max if pay else None,
        "currency": pay.currency if pay else None,
        "salary_period": PayPeriod(pay.period) if pay and pay.period else None,
        "yearly_min": low,
        "yearly_max": high,
    }


def _dates(posted_at: datetime | None, settings: Settings) -> dict[str, Any]:
    """Published when it was posted; it expires by when it was last seen, for it is open now."""
    moment = now()
    return {
        "status": JobStatus.PUBLISHED,
        "published_at": min(posted_at or moment, moment),
        "approved_at": moment,
        "updated_at": moment,
        "expires_at": moment + timedelta(days=settings.job_days),
    }


async def _upsert(run: _Import, rows: list[dict[str, Any]]) -> None:
    """Sorted, so that two imports at once wait for each other and do not lock each other out.

    One prepared statement for all rows: quicker than to compile one of six thousand parameters.
    """
    if not rows:
        return
    rows = sorted(rows, key=lambda row: (row["source"], row["external_id"]))
    statement = insert(Job)
    new = {name: statement.excluded[name] for name in rows[0] if name not in _KEPT}
    upsert = statement.on_conflict_do_update(
        index_elements=["source", "external_id"],
        set_={**new, "version": Job.version + 1},
        where=Job.status != JobStatus.REMOVED,
    )
    await (await run.session.connection()).execute(upsert, rows)
    keys = [(row["source"], row["external_id"]) for row in rows]
    written = select(Job.id).where(
        tuple_(Job.source, Job.external_id).in_(keys), Job.status == JobStatus.PUBLISHED
    )  # one that was removed meanwhile was left alone
    news.published(run.session, (await run.session.scalars(written)).all())
    freshness.outdate(run.session, freshness.JOBS, freshness.PAGES)
