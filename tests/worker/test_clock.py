"""Work by the clock: each due time once, whoever ticks and however often."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.postgres import Database
from jobboard.infra.schedule import Every, Schedule
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.worker import clock
from jobboard.worker.clock import Work
from jobboard.worker.context import Context

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
async def context(settings: Settings, db: Database) -> Context:
    return Context(settings, db, ConsoleMailer(), Storage(settings.storage_url))


class Chore:
    """Hourly work that counts its runs, and fails or hangs as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = 0
        self.error: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        monkeypatch.setattr(clock, "WORKS", {"chore": Work(Every(HOUR), self.run)})

    async def run(self, context: Context) -> None:
        self.runs += 1
        await self.go_on.wait()
        if self.error:
            raise self.error


@pytest.fixture
async def chore(monkeypatch: pytest.MonkeyPatch, context: Context) -> Chore:
    chore = Chore(monkeypatch)
    await clock.tick(context)
    assert chore.runs == 0, "new work is due at its next time"
    return chore


async def set_row(session: AsyncSession, **values: object) -> None:
    await session.execute(update(Schedule).values(values))
    await session.commit()


async def row(session: AsyncSession) -> Schedule:
    found = await session.scalars(select(Schedule).execution_options(populate_existing=True))
    return found.one()


async def test_ten_that_tick_at_once_do_it_once(
    session: AsyncSession, context: Context, chore: Chore
) -> None:
    await set_row(session, due_at=now())
    await asyncio.gather(*(clock.tick(context) for _ in range(10)))
    assert chore.runs == 1
    due = (await row(session)).due_at
    assert now() < due <= now() + HOUR
    assert due.minute == due.second == 0


async def test_after_a_pause_what_was_missed_is_done_once(
    session: AsyncSession, context: Context, chore: Chore
) -> None:
    await set_row(session, due_at=now() - 9 * HOUR)
    for _ in range(3):
        await clock.tick(context)
    assert chore.runs == 1
    assert (await row(session)).due_at > now()


async def test_work_of_another_version_is_left_to_it(
    session: AsyncSession, context: Context, chore: Chore
) -> None:
    due = now() - HOUR
    session.add(Schedule(name="of_another_version", due_at=due))
    await session.commit()
    await clock.tick(context)
    theirs = select(Schedule.due_at).where(Schedule.name == "of_another_version")
    assert (await session.scalar(theirs), chore.runs) == (due, 0)


async def test_what_failed_is_tried_again_after_a_pause_and_its_error_shown(
    session: AsyncSession, context: Context, chore: Chore
) -> None:
    chore.error = LookupError("no such thing")
    await set_row(session, due_at=now())
    for _ in range(2):
        await clock.tick(context)
    found = await row(session)
    assert (chore.runs, found.failures, found.last_error) == (1, 1, "LookupError: no such thing")
    chore.error = None
    await set_row(session, running_until=now())
    await clock.tick(context)
    found = await row(session)
    assert (chore.runs, found.failures, found.last_error) == (2, 0, None)
    assert found.due_at > now()


async def test_a_run_that_died_is_begun_again_when_its_lease_is_over(
    session: AsyncSession, context: Context, chore: Chore
) -> None:
    await set_row(session, due_at=now())
    chore.go_on.clear()
    dying = asyncio.create_task(clock.tick(context))
    async with asyncio.timeout(10):
        while not chore.runs:  # noqa: ASYNC110 - a count is no event
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.wait([dying])
    chore.go_on.set()
    await clock.tick(context)
    assert chore.runs == 1
    await set_row(session, running_until=now())
    await clock.tick(context)
    assert chore.runs == 2


def test_times_are_round_ones_counted_from_monday() -> None:
    sunday = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    weekly = Every(timedelta(days=7), timedelta(hours=7))
    first = weekly.following(sunday)
    assert first == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert weekly.following(first) == datetime(2026, 11, 30, 7, tzinfo=UTC)
    assert Every(HOUR).following(sunday) == datetime(2026, 11, 23, tzinfo=UTC)
