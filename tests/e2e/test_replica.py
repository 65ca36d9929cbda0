"""Searches are asked of a streaming replica, as long as it is there and not late: shown with two
PostgreSQL servers, of which each says who searched."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs
from typer.testing import CliRunner

from jobboard.accounts.models import Role
from jobboard.api.openapi import App
from jobboard.asgi import create_app
from jobboard.cli.main import make_app
from jobboard.infra import replica as module
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.infra.replica import Reads, Replica, State
from jobboard.settings import Settings
from tests.e2e.engines import TELLING, PostgresServer, engine_server
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
MOST_LATE = 1  # seconds
SOON = 60.0  # seconds, for a machine that does much else meanwhile
VISITORS = 8
_number = count()


@dataclass
class Pair:
    """A primary with its replica, and a board that knows both."""

    primary: PostgresServer
    replica: PostgresServer
    app: App
    client: httpx2.AsyncClient
    owner: User
    company: Any

    async def state(self) -> str:
        """What /readyz says of the replica."""
        return (await self.client.get("/readyz")).json()["engines"]["replica"]

    async def until(self, state: str) -> None:
        """Wait until /readyz says so of the replica."""
        async with asyncio.timeout(SOON):
            while await self.state() != state:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)

    async def search(self, path: str = "/api/v1/jobs", **asked: Any) -> httpx2.Response:
        """Ask what nobody has asked before, so that nothing is kept of it."""
        headers = asked.pop("headers", {})
        answer = await self.client.get(
            path, params={"q": f"baker -word{next(_number)}", **asked}, headers=headers
        )
        assert answer.status_code == 200, answer.text
        return answer

    async def later(self) -> dict[str, Any]:
        """How to ask for the second page, which is never kept."""
        first = (await self.search(q="baker", limit=1)).json()
        return {"q": "baker", "limit": 1, "cursor": first["next_cursor"]}

    async def publish(self) -> str:
        """A new job, by its slug."""
        async with self.app.state.engines.database.transaction() as session:
            return (await make_job(session, self.owner, self.company)).slug

    async def who_answers(self, path: str = "/api/v1/jobs", **asked: Any) -> str:
        """Which of the two was asked for a search."""
        before = [each.searches() for each in (self.primary, self.replica)]
        await self.search(path, **asked)
        after = [each.searches() for each in (self.primary, self.replica)]
        return " and ".join(
            name
            for name, old, new in zip(("primary", "replica"), before, after, strict=True)
            if new != old
        )


@pytest.fixture(scope="module")
async def pair(settings: Settings, anyio_backend: Any) -> AsyncIterator[Pair]:
    """Three jobs, and the replica is up."""
    async with AsyncExitStack() as stack:
        quick = stack.enter_context(pytest.MonkeyPatch.context())
        quick.setattr(module, "LOOK_EVERY", 0.2)
        quick.setattr(
            module, "PATIENCE", SOON / 6
        )  # a machine that is slow is no replica that hangs
        primary = await stack.enter_async_context(engine_server(Postgres, PostgresServer))
        await primary.start()
        await asyncio.to_thread(upgrade, primary.url)
        await primary.ask(TELLING)
        replica = await stack.enter_async_context(
            engine_server(Postgres, PostgresServer, like=primary)
        )
        await asyncio.to_thread(primary.copy_to, replica)
        await replica.start()
        app = create_app(
            settings.model_copy(
                update={
                    "database_url": SecretStr(primary.url),
                    "database_replica_url": SecretStr(replica.url),
                    "database_replica_lag": MOST_LATE,
                }
            )
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = await stack.enter_async_context(
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app), base_url=settings.base_url, timeout=SOON
            )
        )
        async with app.state.engines.database.transaction() as session:
            owner = await make_user(session, settings, Role.EMPLOYER)
            company = await make_company(session, owner)
        pair = Pair(primary, replica, app, client, owner, company)
        for _ in range(3):
            await pair.publish()
        yield pair
        await app.state.engines.redis.flushdb()


@pytest.fixture
async def well(pair: Pair) -> Pair:
    """The replica is up, and has all that the primary has."""
    await pair.until("up")
    end = await pair.primary.ask("SELECT pg_current_wal_flush_lsn()::text")
    async with asyncio.timeout(SOON):
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{end}'"
        while not await pair.replica.ask(replayed):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
    async with asyncio.timeout(SOON):  # the board knows so, too, from its next look
        while await pair.who_answers() != "replica":  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)
    return pair


async def port(session: AsyncSession) -> int:
    """Of the server that is asked."""
    return int(await session.scalar(text("SHOW port")) or 0)


@asynccontextmanager
async def reading(
    primary: PostgresServer, asked: PostgresServer, *, watched: PostgresServer
) -> AsyncGenerator[Reads]:
    """Reads of a process that is told that `asked` is a replica, and sees `watched`."""
    replica = Replica(Database(asked.url), watched.url, primary.url, most_late=60)
    database = Database(primary.url)
    replica.start()
    try:
        yield Reads(database, replica)
    finally:
        await replica.close()
        await database.close()


@asynccontextmanager
async def paused(replica: PostgresServer) -> AsyncGenerator[None]:
    """It replays nothing meanwhile."""
    await replica.ask("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        await replica.ask("SELECT pg_wal_replay_resume()")


async def test_searches_are_asked_of_the_replica(well: Pair) -> None:
    assert await well.who_answers() == "replica"
    assert await well.who_answers("/") == "replica"
    assert await well.who_answers("/", q="nothingatall bakery", remote="hybrid") == "replica"
    suggestions = {"path": "/api/v1/suggestions", "q": "ba"}
    assert await well.who_answers(**suggestions, headers=well.owner.headers) == "replica"
    later = await well.later()
    assert await well.who_answers(**later) == "replica"
    assert await well.who_answers(**later, headers=well.owner.headers) == "primary"
    text = (await well.client.get("/metrics")).text
    assert "jobboard_replica_up 1.0" in text
    assert 'jobboard_replica_answers_total{from="replica"}' in text


async def test_nobody_misses_what_was_just_published(well: Pair) -> None:
    async with paused(well.replica):
        slug = await well.publish()
        found = [item["slug"] for item in (await well.search()).json()["items"]]
        assert slug in found  # a stranger finds it, too: what is kept for all knows it
        assert await well.who_answers() == "primary"
        assert (await well.client.get(f"/jobs/{slug}")).status_code == 200
    async with asyncio.timeout(SOON):
        while await well.who_answers() != "replica":  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)
    assert slug in [item["slug"] for item in (await well.search()).json()["items"]]


async def test_a_late_replica_is_not_asked_until_it_has_caught_up(well: Pair) -> None:
    later = await well.later()
    async with paused(well.replica):
        await well.publish()
        await well.until("late")
        assert await well.who_answers(**later) == "primary"
        assert "jobboard_replica_up 0.0" in (await well.client.get("/metrics")).text
    await well.until("up")
    assert await well.who_answers(**later) == "replica"


async def test_the_primary_answers_while_the_replica_is_gone(well: Pair) -> None:
    await well.replica.stop()
    try:
        await asyncio.gather(*(well.search() for _ in range(VISITORS)))
        await well.until("down")
        ready = await well.client.get("/readyz")
        assert (ready.status_code, ready.json()["engines"]["postgres"]) == (200, "up")
        assert await well.who_answers() == "primary"
    finally:
        await well.replica.start()
    await well.until("up")
    assert await well.who_answers() == "replica"


async def test_a_replica_that_hangs_holds_nobody_up_twice(
    well: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for it is let go together; who comes afterwards does not wait."""
    long = module.PATIENCE
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    well.replica.send(signal.SIGSTOP)
    try:
        began = perf_counter()
        await asyncio.gather(*(well.search() for _ in range(VISITORS)))
        first = perf_counter() - began
        passed = well.app.state.engines.reads.replica.passed
        began = perf_counter()
        for _ in range(VISITORS):
            await well.search()
        then = perf_counter() - began
        assert well.app.state.engines.reads.replica.passed >= passed + VISITORS
        assert (await well.client.get("/readyz")).json()["engines"]["replica"] == "down"
    finally:
        well.replica.send(signal.SIGCONT)
        monkeypatch.setattr(module, "PATIENCE", long)
    sys.stdout.write(
        f"\n{VISITORS} searches at once as it froze: {first:.2f} s;"
        f" {VISITORS} after each other then: {then:.2f} s\n"
    )
    await well.until("up")
    assert await well.who_answers() == "replica"


async def test_doctor_compares_the_two(
    well: Pair, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", well.primary.url)
    monkeypatch.setenv("JOBBOARD_REDIS_URL", settings.redis_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_MONGO_URL", "")
    monkeypatch.setenv("JOBBOARD_STORAGE_URL", settings.storage_url)
    monkeypatch.setenv("JOBBOARD_DATABASE_REPLICA_LAG", str(MOST_LATE))

    async def said(url: str) -> str:
        monkeypatch.setenv("JOBBOARD_DATABASE_REPLICA_URL", url)
        run = await asyncio.to_thread(CliRunner().invoke, make_app(["doctor"]), ["doctor"])
        return next(line for line in run.stdout.splitlines() if " Replica " in line)

    async with asyncio.timeout(SOON):  # the primary was just started: it is followed again soon
        while not (await said(well.replica.url)).startswith("ok"):
            pass
    assert "it takes writes" in await said(well.primary.url)
    async with paused(well.replica):
        await well.publish()
        assert (await said(well.replica.url)).startswith("warn")
    async with engine_server(Postgres, PostgresServer) as stranger:
        await stranger.start()
        assert "none of this server" in await said(stranger.url)


async def test_what_is_answered_while_the_primary_is_gone(well: Pair) -> None:
    """As docs/operations.md says it."""
    seen = f"/jobs/{await well.publish()}"
    unseen = f"/jobs/{await well.publish()}"
    later = await well.later()
    async with asyncio.timeout(SOON):
        while await well.who_answers() != "replica":  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)
    assert (await well.client.get(seen)).status_code == 200
    first = {"q": "baker -nobodyasked"}
    searches = "/api/v1/jobs"

    async def answers(path: str, asked: dict[str, Any] | None = None, **options: Any) -> bool:
        answer = await well.client.get(path, params=asked, **options)
        assert answer.status_code in {200, 503}, answer.text
        assert answer.status_code == 200 or answer.headers["Retry-After"]
        return answer.status_code == 200

    redis = well.app.state.engines.redis
    await well.primary.stop()
    try:
        async for kept in redis.scan_iter("kept:*:answer:*"):  # as if a minute had passed
            await redis.delete(kept)
        assert await answers(searches, first)
        assert await answers("/", first)
        assert await answers(searches, later)
        assert await answers("/api/v1/suggestions", {"q": "ba"})
        assert await answers(seen)
        assert not await answers(unseen)
        known = {"headers": well.owner.headers}
        assert await answers(searches, first, **known)
        assert not await answers(searches, later, **known)
        assert not await answers("/api/v1/me", **known)
        assert not await answers("/api/v1/companies")
        ready = await well.client.get("/readyz")
        assert (ready.status_code, ready.json()["engines"]["postgres"]) == (503, "down")
        assert ready.json()["engines"]["replica"] == "up"
        await redis.flushdb()  # as if ten had, and the marks were gone
        assert not await answers(searches, first)
        assert not await answers(seen)
        assert await answers(searches, later)
        assert await answers("/api/v1/suggestions", {"q": "ba"})
    finally:
        await well.primary.start()


async def test_what_the_primary_took_along_does_not_make_the_replica_late(
    well: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before all was replayed: what there is, is there."""
    replica = well.app.state.engines.reads.replica
    later = await well.later()
    async with paused(well.replica):
        monkeypatch.setattr(replica, "_most_late", SOON)
        await well.publish()
        async with asyncio.timeout(SOON):
            while not replica.lag:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        await well.primary.kill()
        try:
            async with asyncio.timeout(SOON):
                while (await well.client.get("/readyz")).json()["engines"]["postgres"] == "up":
                    pass
                while replica.lag < 2:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.02)
                monkeypatch.setattr(replica, "_most_late", MOST_LATE)
                while replica.lag < 3:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.02)
            assert await well.state() == "up"
            assert (await well.client.get("/api/v1/jobs", params=later)).status_code == 200
        finally:
            await well.primary.start()


@asynccontextmanager
async def standby(of: PostgresServer, *, copied: bool) -> AsyncGenerator[PostgresServer]:
    """One that follows nobody: of another server, or a copy that took writes of its own before."""
    like = of if copied else None
    async with engine_server(Postgres, PostgresServer, like=like) as server:
        if copied:
            await asyncio.to_thread(of.copy_to, server)
            (server.engine.data / "standby.signal").unlink()
        await server.start()
        await server.ask("CREATE TABLE own AS SELECT generate_series(1, 100000) AS number")
        await server.stop()
        (server.engine.data / "standby.signal").touch()
        (server.engine.data / "postgresql.auto.conf").write_text("")  # not whom to follow
        await server.start()
        yield server


@pytest.mark.parametrize(
    ("copied", "why"),
    [
        (False, "its data are those of another server"),
        (True, "it has what the primary never wrote"),
    ],
)
async def test_a_standby_of_another_server_is_not_asked(well: Pair, copied: bool, why: str) -> None:
    async with standby(well.primary, copied=copied) as other:
        with capture_logs() as lines:
            async with reading(well.primary, other, watched=other) as reads:
                replica = reads.replica
                assert replica is not None
                async with asyncio.timeout(SOON):
                    while replica.state is not State.OTHER:  # noqa: ASYNC110 - no event tells
                        await asyncio.sleep(0.02)
                assert await reads.ask(port) == well.primary.engine.port
                assert (replica.answered, replica.passed) == (0, 1)
    assert [line["why"] for line in lines if line["event"] == "replica.not_asked"] == [why]
    assert not [line for line in lines if line["event"] == "replica.up"]


async def test_an_address_that_leads_elsewhere_too_is_found_out_by_each_connection(
    well: Pair,
) -> None:
    """The watch sees the replica, and the pool is led to a server that takes writes."""
    async with reading(well.primary, well.primary, watched=well.replica) as reads:
        replica = reads.replica
        assert replica is not None
        async with asyncio.timeout(SOON):
            while replica.state is not State.UP:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        with capture_logs() as lines:
            assert await reads.ask(port) == well.primary.engine.port
        assert (replica.answered, replica.passed) == (0, 1)
        assert lines[0]["event"] == "replica.failed"
