"""What is kept for everybody: asked once, and given no more once something has changed."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
import structlog
from redis import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.infra import store as module
from jobboard.infra.cache import Answer, Cache, Question
from jobboard.infra.freshness import outdate
from jobboard.infra.postgres import Database
from jobboard.infra.redis import make_patient_redis
from jobboard.infra.replica import Reads
from jobboard.infra.store import Store
from jobboard.settings import Settings
from tests.infra.ill_redis import Server

pytestmark = pytest.mark.anyio
SECRET = "a secret of thirty-two characters or more"


class Truth:
    """What the database would say; `asked` counts, and `gate` holds an answer back."""

    def __init__(self) -> None:
        self.word, self.asked = "old", 0
        self.began, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def load(self, session: AsyncSession) -> Answer:
        word, self.asked = self.word, self.asked + 1
        self.began.set()
        await self.gate.wait()
        return Answer(word.encode())

    @property
    def question(self) -> Question:
        return Question("what", ("thing", "things"), self.load)


class Process:
    """What a web process has: a store, a database that tells it of changes, and a cache."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        self.store = Store(make_patient_redis(redis_url), SECRET)
        url = settings.database_url.get_secret_value()
        self.database = Database(url, pool_size=1, forget=self.store.forget)
        self.cache = Cache(self.store, Reads(self.database))

    async def close(self) -> None:
        await self.cache.close()
        await self.database.close()
        await self.store.close()

    async def change(self, truth: Truth, word: str) -> None:
        async with self.database.transaction() as session:
            outdate(session, "things")
            truth.word = word


@pytest.fixture
async def processes(settings: Settings, server: Server) -> AsyncIterator[list[Process]]:
    """Two, which share Redis and the database."""
    async with AsyncExitStack() as stack:
        both = [Process(settings, server.url) for _ in range(2)]
        for each in both:
            stack.push_async_callback(each.close)
        yield both


async def test_a_crowd_in_two_processes_asks_the_database_once(processes: list[Process]) -> None:
    truth = Truth()
    crowd = [processes[number % 2].cache.get(truth.question) for number in range(200)]
    assert set(await asyncio.gather(*crowd)) == {b"old"}
    assert truth.asked == 1
    counted = [sum(vars_of(each.cache).values()) for each in processes]
    assert counted == [100, 100]


async def undone(database: Database) -> None:
    async with database.transaction() as session:
        outdate(session, "thing")
        raise ValueError("undone")


def vars_of(cache: Cache) -> dict[str, int]:
    return {name: getattr(cache.counts, name) for name in cache.counts.__slots__}


async def test_who_leaves_takes_the_answer_from_nobody(processes: list[Process]) -> None:
    truth, cache = Truth(), processes[0].cache
    truth.gate.clear()
    first, second = (asyncio.create_task(cache.get(truth.question)) for _ in range(2))
    await truth.began.wait()
    first.cancel()
    truth.gate.set()
    assert await second == b"old"
    assert truth.asked == 1


async def test_a_commit_ends_what_every_process_gives(processes: list[Process]) -> None:
    truth = Truth()
    here, there = processes
    for each in processes:
        await each.cache.get(truth.question)
    await here.change(truth, "new")
    assert [await each.cache.get(truth.question) for each in (there, here)] == [b"new", b"new"]
    with pytest.raises(ValueError, match="undone"):
        await undone(here.database)
    await there.cache.get(truth.question)
    assert truth.asked == 2  # what is rolled back changes nothing


async def test_what_was_read_before_a_change_and_stored_after_it_is_never_given(
    processes: list[Process],
) -> None:
    truth = Truth()
    slow, quick = processes
    truth.gate.clear()
    late = asyncio.create_task(slow.cache.get(truth.question))
    await truth.began.wait()  # it has read
    await quick.change(truth, "new")
    truth.gate.set()
    after = [asyncio.create_task(each.cache.get(truth.question)) for each in processes]
    assert await late == b"old"  # who asked before
    assert await asyncio.gather(*after) == [b"new", b"new"]
    assert [await each.cache.get(truth.question) for each in processes] == [b"new", b"new"]
    assert truth.asked == 2


async def test_what_is_not_fresh_is_given_at_once_and_asked_for_behind(
    processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, cache = Truth(), processes[0].cache
    monkeypatch.setattr(module, "FRESH", -1.0)
    await cache.get(truth.question)
    monkeypatch.setattr(module, "FRESH", 20.0)
    truth.word = "newer"  # by time alone: nobody says so
    truth.began.clear()
    truth.gate.clear()
    assert [await cache.get(truth.question) for _ in range(5)] == [b"old"] * 5
    await truth.began.wait()
    truth.gate.set()
    await asyncio.gather(*cache._refreshing.values())
    assert await cache.get(truth.question) == b"newer"
    assert truth.asked == 2
    assert (cache.counts.stale, cache.counts.hits, cache.counts.misses) == (5, 1, 1)


async def test_nothing_is_given_after_its_end(processes: list[Process]) -> None:
    asked = 0

    async def load(session: AsyncSession) -> Answer:
        nonlocal asked
        asked += 1
        return Answer(b"over", until=now())

    for _ in range(2):
        assert await processes[0].cache.get(Question("what", ("thing",), load)) == b"over"
    assert asked == 2


async def test_an_error_reaches_all_who_wait_and_is_not_kept(processes: list[Process]) -> None:
    failing = True

    async def load(session: AsyncSession) -> Answer:
        if failing:
            raise LookupError("not there")
        return Answer(b"there")

    question = Question("what", ("thing",), load)
    crowd = [processes[0].cache.get(question) for _ in range(3)]
    said = await asyncio.gather(*crowd, return_exceptions=True)
    assert [type(each) for each in said] == [LookupError] * 3
    failing = False
    assert await processes[1].cache.get(question) == b"there"


async def test_a_stopped_redis_costs_one_short_wait_and_no_error(
    processes: list[Process], server: Server
) -> None:
    truth, cache = Truth(), processes[0].cache
    await cache.get(truth.question)
    server.send(signal.SIGSTOP)
    with structlog.testing.capture_logs() as lines:
        crowd = [cache.get(truth.question) for _ in range(20)]
        assert await asyncio.gather(*crowd) == [b"old"] * 20
        await cache.get(truth.question)
    said = [line["event"] for line in lines if line["event"].startswith("cache.")]
    assert said == ["cache.redis_silent"]
    assert cache.counts.bypassed == 21


async def test_what_is_kept_finds_out_that_redis_is_back(
    processes: list[Process], server: Server
) -> None:
    store = processes[0].store
    server.send(signal.SIGSTOP)
    assert await store.look("what", ("thing",)) is None
    server.send(signal.SIGCONT)
    for use in (
        partial(store.keep, "what", (), b"old", 60),
        partial(store.end_lease, "what", "me"),
    ):
        store._silence._rests_until = 0.0
        await use()
        assert await store.look("what", ("thing",)) is not None
        store._silence._silent = True


async def test_a_change_while_redis_is_silent_is_told_when_it_answers(
    processes: list[Process], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.02)
    truth = Truth()
    here, there = processes
    await there.cache.get(truth.question)
    server.send(signal.SIGSTOP)
    await here.change(truth, "newer")
    paying = here.store._paying
    assert paying is not None
    await here.change(truth, "new")
    assert here.store._paying is paying  # one that tries again is enough
    server.send(signal.SIGCONT)
    await paying
    assert await there.cache.get(truth.question) == b"new"


async def test_what_others_write_into_redis_is_not_believed(
    processes: list[Process], server: Server
) -> None:
    truth, cache = Truth(), processes[0].cache
    await cache.get(truth.question)
    client: Redis = server.client
    names = [name for name in client.scan_iter() if b":answer:" in name]
    assert len(names) == 1
    kept = client.get(names[0])
    assert isinstance(kept, bytes)
    client.set(names[0], kept.replace(b"old", b"bad"))
    assert await cache.get(truth.question) == b"old"
    assert b"what" not in b"".join(client.scan_iter())


async def test_an_answer_under_way_is_given_up_with_its_process(processes: list[Process]) -> None:
    truth, cache = Truth(), processes[0].cache
    truth.gate.clear()
    asking = asyncio.create_task(cache.get(truth.question))
    await truth.began.wait()
    await cache.close()
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert not cache._flights


async def test_of_two_processes_one_renews_and_a_failure_is_no_ones_error(
    processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, (here, there) = Truth(), (each.cache for each in processes)
    monkeypatch.setattr(module, "FRESH", -1.0)
    await here.get(truth.question)
    truth.began.clear()
    truth.gate.clear()
    assert await here.get(truth.question) == b"old"
    await truth.began.wait()
    assert await there.get(truth.question) == b"old"
    await asyncio.gather(*there._refreshing.values())
    assert truth.asked == 2  # the other left it to the first

    async def fail(_: AsyncSession) -> Answer:
        raise LookupError("the database is away")

    truth.gate.set()
    await asyncio.gather(*here._refreshing.values())
    with structlog.testing.capture_logs() as lines:
        failing = Question("what", ("thing", "things"), fail)
        assert await here.get(failing) == b"old"
        await asyncio.wait(here._refreshing.values())
        await asyncio.sleep(0)
    assert [(line["event"], line["error"]) for line in lines] == [
        ("cache.not_renewed", "LookupError")
    ]


async def test_what_cannot_be_kept_is_given_all_the_same(
    processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, (here, there) = Truth(), processes

    async def nothing(_name: str) -> None:
        """Somebody takes the mark away each time that one is made."""

    monkeypatch.setattr(here.store, "_make_mark", nothing)
    for _ in range(2):
        assert await here.cache.get(truth.question) == b"old"
    assert (truth.asked, here.cache.counts.bypassed) == (2, 2)
    look, looks = there.store.look, []

    async def look_once(*asked: Any) -> Any:
        looks.append(asked)
        return await look(*asked) if len(looks) == 1 else None  # Redis fell silent in between

    monkeypatch.setattr(there.store, "look", look_once)
    assert await there.cache.get(truth.question) == b"old"
    monkeypatch.setattr(there.store, "look", look)
    assert await there.cache.get(truth.question) == b"old"
    assert truth.asked == 4


async def test_a_change_is_told_no_longer_than_anything_could_be_kept(
    processes: list[Process], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.02)
    monkeypatch.setattr(module, "KEPT", 0.0)
    store = processes[0].store
    server.send(signal.SIGSTOP)
    await store.forget(["things"])
    assert store._paying is not None
    async with asyncio.timeout(20):
        await store._paying
    assert store._debt == {}
