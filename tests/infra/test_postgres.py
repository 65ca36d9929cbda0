"""A PostgreSQL that freezes, as one whose disk or machine stalls."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from jobboard.asgi import create_app
from jobboard.infra import postgres
from jobboard.infra.freshness import outdate
from jobboard.infra.postgres import Database
from jobboard.infra.rings import ring_for
from jobboard.infra.statements import NamedConnection
from jobboard.settings import Settings
from tests.timing import until

pytestmark = pytest.mark.anyio
FOREVER = 60.0  # seconds: without a limit of ours the wait has no end


class Wire:
    """Between us and the server; connections stay open while it is frozen, and nothing passes."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["Wire"]:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        login = self._to.netloc.rpartition("@")[0]
        self.url = self._to._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._to.hostname, self._to.port)
        for source, sink in ((reader, there[1]), (there[0], writer)):
            self._tasks.add(asyncio.create_task(self._carry(source, sink)))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(65_536):
                await self._flows.wait()
                sink.write(piece)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


async def freeze_in_the_middle(database: Database, wire: Wire) -> None:
    """A transaction whose second statement is never answered."""
    async with database.transaction() as session:
        await session.execute(text("SELECT 1"))
        wire.freeze()
        await session.execute(text("SELECT 2"))


async def test_a_frozen_server_is_given_up_and_found_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "GRACE_SECONDS", 0.2)
    async with Wire(settings.database_url.get_secret_value()).open() as wire:
        database = Database(wire.url, pool_size=1, statement_timeout_ms=300)
        async with asyncio.timeout(FOREVER):
            with pytest.raises(TimeoutError):
                await freeze_in_the_middle(database, wire)
        wire.thaw()
        async with database.transaction() as session:
            assert await session.scalar(text("SELECT 3")) == 3
        await database.close()


async def test_requests_get_an_answer_while_it_is_frozen(
    settings: Settings, clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "GRACE_SECONDS", -9.5)  # half a second in all
    async with Wire(settings.database_url.get_secret_value()).open() as wire:
        app = create_app(settings.model_copy(update={"database_url": SecretStr(wire.url)}))
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
        ):
            assert (await client.get("/api/v1/companies")).status_code == 200
            wire.freeze()
            async with asyncio.timeout(FOREVER):
                answer = await client.get("/api/v1/companies")
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["retry-after"] == "5"
            wire.thaw()
            assert (await client.get("/api/v1/companies")).status_code == 200


async def test_a_server_that_ends_a_new_connection_is_one_that_is_gone(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url, connection_class=NamedConnection)
    connection.terminate()
    with pytest.raises(ConnectionResetError):  # as what SQLAlchemy does next
        await connection.set_type_codec("json", schema="pg_catalog", encoder=str, decoder=str)


async def test_who_is_cancelled_while_others_forget_still_tells(settings: Settings) -> None:
    forgetting, may_end, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def forget(_tags: Collection[str]) -> None:
        forgetting.set()
        await may_end.wait()

    async def tell(_names: Collection[str]) -> None:
        told.set()

    async def change() -> None:
        async with database.transaction() as session:
            outdate(session, "thing")
            ring_for(session, "ann")

    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=1, forget=forget, tell=tell)
    request = asyncio.create_task(change())
    async with asyncio.timeout(FOREVER):
        await forgetting.wait()
        request.cancel()
        await told.wait()  # the one does not wait for the other, either
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await request
    await database.close()


async def test_a_connection_that_the_server_ended_while_it_rested_is_replaced(
    settings: Settings,
) -> None:
    url = settings.database_url.get_secret_value()
    database, other = Database(url, pool_size=1), Database(url, pool_size=1)
    async with database.transaction() as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
    async with other.transaction() as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    assert raw is not None
    await until(raw.is_closed)
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT pg_backend_pid()")) != pid
    await database.close()
    await other.close()
