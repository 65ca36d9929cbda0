"""Which saved searches a new job is for, in a few statements for any number of them.

The keys of a job find the searches that it could be for (`index.py`). What those ask is then held
against the jobs all at once, by the conditions of the search page itself (`jobs/filters.py`): there
is no second opinion of what a search means.

A run looks at PIECE pairs of search and job, give or take, and says what it left: a job that a
hundred thousand people wait for is many short transactions, between which others have their turn.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import (
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from jobboard.alerts import index
from jobboard.alerts.models import FoundJob, Frequency, SavedSearch
from jobboard.alerts.schemas import SavedCriteria
from jobboard.companies.models import Company
from jobboard.jobs.asked import many, numbered, read
from jobboard.jobs.criteria import STORED
from jobboard.jobs.filters import of_each
from jobboard.jobs.live import LiveJob
from jobboard.jobs.models import Job
from jobboard.jobs.queries import live
from jobboard.jobs.words import understand

PIECE = 5_000  # pairs of a search and a job in one run
NOBODY = UUID(int=0)  # an id before all
log: Any = structlog.get_logger()
# PostgreSQL believes that a table is read sooner than an index with hundreds of keys.
PLANNING = text("SELECT set_config('enable_seqscan', 'off', true)")
# When a job came to the board: an import brings some that were posted long before.
CAME = func.greatest(Job.published_at, Job.created_at)


class Work(NamedTuple):
    """Jobs to find saved searches for: all of them, or those with an id above `after`."""

    jobs: Sequence[UUID]
    after: UUID | None = None


class Matched(NamedTuple):
    """Whether someone wants to hear of it at once, and what is left to do."""

    at_once: bool
    left: list[Work]


class Candidates(NamedTuple):
    """Searches that ask for the same, and a job that could be it."""

    criteria: str
    words: str | None  # None: nobody has understood them yet, or there are none
    job: UUID
    searches: list[UUID]

    @property
    def asked(self) -> tuple[str, str | None]:
        """What is the same for each job."""
        return self.criteria, self.words


def _finding() -> Select:
    """The first `piece` pairs of a search above `after` and one of `jobs`; alike ones in a row."""
    held = (
        select(Job.id, CAME.label("came"), index.HELD.label("held"))
        .join(LiveJob, LiveJob.id == Job.id)
        .join(Company, Company.id == LiveJob.company_id)
        .where(Job.id == any_(bindparam("jobs", type_=ARRAY(PG_UUID))), live())
        .cte("held")
        .prefix_with("MATERIALIZED")
    )
    pairs = (
        select(
            SavedSearch.id,
            cast(SavedSearch.criteria, Text).label("criteria"),
            case((SavedSearch.stale, null()), else_=SavedSearch.words).label("words"),
            held.c.id.label("job"),
        )
        .where(
            or_(
                and_(
                    SavedSearch.keys.overlap(held.c.held),
                    SavedSearch.required.contained_by(held.c.held),
                ),
                SavedSearch.stale,
            ),
            SavedSearch.since < held.c.came,
            SavedSearch.paused_at.is_(None),
            SavedSearch.id > bindparam("after"),
        )
        .cte("pairs")
        .prefix_with("MATERIALIZED")
    )
    piece = bindparam("piece", type_=Integer())
    some = select(pairs).order_by(pairs.c.id).fetch(piece, with_ties=True).subquery()
    alike = (some.c.criteria, some.c.words, some.c.job)
    return select(*alike, func.array_agg(some.c.id)).group_by(*alike)


def _verifying() -> Select:
    """The places of those pairs of `numbers` and `jobs` that fulfil what is asked there."""
    asked = many()
    columns = [
        bindparam("numbers", type_=ARRAY(Integer)),
        bindparam("jobs", type_=ARRAY(PG_UUID)),
    ]
    pair = func.unnest(*columns).table_valued("n", "job", with_ordinality="place", name="pair")
    pair = pair.render_derived()
    return (
        select(pair.c.place)
        .join(asked, asked.c.n == pair.c.n)
        .join(LiveJob, LiveJob.id == pair.c.job)
        .where(*of_each(asked))
    )


def _noting() -> ReturningUpdate:
    """Note pairs of `searches` and `jobs`; the frequencies of those that begin to wait.

    First all searches are locked, in order, so that two workers wait for each other, and nobody
    tells what is found without knowing of it. What was paused or deleted meanwhile is left out. A
    row that waits already is not written anew: its indexes cost most.
    """
    searches, jobs = (bindparam(name, type_=ARRAY(PG_UUID)) for name in ("searches", "jobs"))
    pair = func.unnest(searches, jobs).table_valued("search", "job").render_derived()
    locked = (
        select(SavedSearch.id, SavedSearch.waiting_since)
        .where(SavedSearch.id == any_(searches), SavedSearch.paused_at.is_(None))
        .order_by(SavedSearch.id)
        .with_for_update(key_share=True)
        .cte("locked")
        .prefix_with("MATERIALIZED")
    )
    news = select(locked.c.id, pair.c.job).join(pair, pair.c.search == locked.c.id)
    noted = (
        insert(FoundJob)
        .from_select(["saved_search_id", "job_id"], news)
        .on_conflict_do_nothing()
        .returning(FoundJob.saved_search_id)
        .cte("noted")
    )
    return (
        update(SavedSearch)
        .where(
            SavedSearch.id == locked.c.id,
            locked.c.waiting_since.is_(None),
            SavedSearch.id.in_(select(noted.c.saved_search_id)),
        )
        .values(waiting_since=func.now())
        .returning(SavedSearch.frequency)
        .execution_options(synchronize_session=False)
    )


# Made once: to put them together takes longer than most jobs do.
FINDING, VERIFYING, NOTING = _finding(), _verifying(), _noting()
ANYBODY = select(exists().where(SavedSearch.paused_at.is_(None)))


async def match(session: AsyncSession, work: Work) -> Matched:
    """Note jobs with the saved searches that they are new to. A second run changes nothing."""
    if not await session.scalar(ANYBODY):
        return Matched(at_once=False, left=[])
    await session.execute(PLANNING)
    jobs, after = work
    at_once, room = False, PIECE
    size = len(jobs) if after else 1  # one job shows how many searches there are for each
    while jobs and room > 0:
        some, rest = jobs[:size], jobs[size:]
        candidates = await find_candidates(session, Work(some, after))
        pairs = sum(len(each.searches) for each in candidates)
        at_once |= await _note(session, await verify(session, candidates))
        if pairs >= PIECE:
            last = max(search for each in candidates for search in each.searches)
            return Matched(at_once, [Work(some, last), *([Work(rest)] if rest else [])])
        jobs, after, room = rest, None, room - pairs
        size = max(1, room * len(some) // max(pairs, 1))
    return Matched(at_once, [Work(jobs)] if jobs else [])


async def find_candidates(session: AsyncSession, work: Work) -> list[Candidates]:
    """Searches that these jobs could be new to: the first PIECE pairs, by the search's id."""
    asked = {"jobs": work.jobs, "after": work.after or NOBODY, "piece": PIECE}
    return [Candidates._make(row) for row in await session.execute(FINDING, asked)]


async def verify(session: AsyncSession, candidates: Sequence[Candidates]) -> list[Candidates]:
    """Those that really find their job."""
    every = {each.asked: _read(each) for each in candidates}
    asked_for = {asked: data for asked, data in every.items() if data is not None}
    readings = [read(data) for data in await understand(session, list(asked_for.values()))]
    numbers = {asked: n for n, asked in enumerate(asked_for)}
    legible = [each for each in candidates if each.asked in numbers]
    if not legible:
        return []
    asked = {
        "asked": numbered(readings),
        "numbers": [numbers[each.asked] for each in legible],
        "jobs": [each.job for each in legible],
    }
    return [legible[place - 1] for place in await session.scalars(VERIFYING, asked)]


def _read(candidates: Candidates) -> SavedCriteria | None:
    """What a saved search asks; None where rules that came later refuse it: that must not keep the
    others from their jobs."""
    try:
        data = SavedCriteria.model_validate_json(candidates.criteria, context=STORED)
    except ValidationError as error:
        log.warning("alerts.unreadable", error=str(error.errors(include_input=False)[0]["loc"]))
        return None
    return data if candidates.words is None else data.meaning(candidates.words)


async def _note(session: AsyncSession, found: Sequence[Candidates]) -> bool:
    """Write down what was found, and that it waits to be told; whether to tell it at once."""
    pairs = [(search, each.job) for each in found for search in each.searches]
    if not pairs:
        return False
    searches, jobs = map(list, zip(*pairs, strict=True))
    frequencies = await session.scalars(NOTING, {"searches": searches, "jobs": jobs})
    return Frequency.AT_ONCE in frequencies.all()
