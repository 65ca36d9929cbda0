"""Which saved searches a new job is for: those that its keys find, run once each on the few jobs
that they were found for (`index.py`). What a search means is `jobs.filters.everything`, alone."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Text,
    any_,
    cast,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.alerts import index
from jobboard.alerts.models import FoundJob, Frequency, SavedSearch
from jobboard.companies.models import Company
from jobboard.jobs.criteria import JobCriteria
from jobboard.jobs.filters import everything
from jobboard.jobs.models import Job
from jobboard.jobs.queries import live

# PostgreSQL believes that a table is read sooner than an index with hundreds of keys.
PLANNING = text("SELECT set_config('enable_seqscan', 'off', true)")
# When a job came to the board: an import brings some that were posted long before.
CAME = func.greatest(Job.published_at, Job.created_at)


class Candidates(NamedTuple):
    """Searches that ask for the same, and the jobs that could be it."""

    criteria: JobCriteria
    searches: list[UUID]
    jobs: list[UUID]


async def match(session: AsyncSession, job_ids: Collection[UUID]) -> bool:
    """Note these jobs with every saved search that they are new to; whether someone wants to hear
    of one at once. A second run changes nothing."""
    if not await session.scalar(select(exists().where(SavedSearch.paused_at.is_(None)))):
        return False
    found = [
        (search, job)
        for candidates in await find_candidates(session, job_ids)
        for job in await run(session, candidates.criteria, candidates.jobs)
        for search in candidates.searches
    ]
    return bool(found) and await _note(session, found)


async def find_candidates(session: AsyncSession, job_ids: Collection[UUID]) -> list[Candidates]:
    """Searches that some of these jobs could be new to. What several people ask alike is one."""
    await session.execute(PLANNING)
    held = (
        select(Job.id, CAME.label("came"), index.HELD.label("held"))
        .join(Company, Company.id == Job.company_id)
        .where(Job.id.in_(job_ids), live())
        .cte("held")
        .prefix_with("MATERIALIZED")
    )
    statement = (
        select(
            func.min(cast(SavedSearch.criteria, Text)).label("criteria"),
            func.array_agg(SavedSearch.id.distinct()).label("searches"),
            func.array_agg(held.c.id.distinct()).label("jobs"),
        )
        .where(
            SavedSearch.keys.overlap(held.c.held),
            SavedSearch.required.contained_by(held.c.held),
            SavedSearch.since < held.c.came,
            SavedSearch.paused_at.is_(None),
        )
        .group_by(SavedSearch.fingerprint)
    )
    return [_candidates(row) for row in await session.execute(statement)]


def _candidates(row: Any) -> Candidates:
    return Candidates(JobCriteria.model_validate_json(row.criteria), row.searches, row.jobs)


async def run(
    session: AsyncSession, criteria: JobCriteria, job_ids: Sequence[UUID]
) -> Sequence[UUID]:
    """Those of these jobs that the search finds."""
    among = Job.id == any_(cast(list(job_ids), ARRAY(PG_UUID)))
    return (await session.scalars(select(Job.id).where(among, *everything(criteria)))).all()


async def _note(session: AsyncSession, found: list[tuple[UUID, UUID]]) -> bool:
    searches, jobs = zip(*found, strict=True)
    ids = [cast(list(each), ARRAY(PG_UUID)) for each in (searches, jobs)]
    pair = func.unnest(*ids).table_valued("search_id", "job_id").render_derived()
    # Several people's searches came as one: here each is asked whether the job is new to it.
    new = (
        select(SavedSearch.id, Job.id)
        .select_from(pair)
        .join(SavedSearch, SavedSearch.id == pair.c.search_id)
        .join(Job, Job.id == pair.c.job_id)
        .where(SavedSearch.since < CAME, SavedSearch.paused_at.is_(None))
    )
    statement = (
        insert(FoundJob)
        .from_select(["saved_search_id", "job_id"], new)
        .on_conflict_do_nothing()
        .returning(FoundJob.saved_search_id)
    )
    glad = set((await session.scalars(statement)).all())
    return bool(glad) and await _have_wait(session, glad)


async def _have_wait(session: AsyncSession, glad: Collection[UUID]) -> bool:
    """Say that there is something to tell; whether it is to be told at once. Locked in order, so
    that two workers wait for each other."""
    locked = (
        select(SavedSearch.id)
        .where(SavedSearch.id.in_(glad))
        .order_by(SavedSearch.id)
        .with_for_update(key_share=True)
        .cte("locked")
    )
    frequencies = await session.scalars(
        update(SavedSearch)
        .where(SavedSearch.id == locked.c.id)
        .values(waiting_since=func.coalesce(SavedSearch.waiting_since, func.now()))
        .returning(SavedSearch.frequency)
        .execution_options(synchronize_session=False)
    )
    return Frequency.AT_ONCE in frequencies.all()
