"""What every test may ask for.

Engines start only when a test needs one: a test of plain logic runs in a blink. With xdist the
controller starts them once for all workers; each worker has databases of its own.

    settings, app     the board of this worker, its lifespan run
    client            HTTP to it, without cookies
    db                a Database; everything in it is deleted after the test
    session           a session on it; `await session.commit()` shows its rows to the app
    mailbox           what the board mails, read as the person in front of the mailbox does
"""

import gc
import logging
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvloop
from fastapi import FastAPI
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.api.openapi import App
from jobboard.asgi import create_app
from jobboard.infra import logs
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from tests.api.documented import Hook, must_be_documented
from tests.boards import Servers, empty, own_databases, servers
from tests.hashing import CHEAP, PRODUCTION, hashing_by
from tests.letters import Mailbox

BASE_URL = "http://127.0.0.1:8000"
SHARED = pytest.StashKey[tuple[ExitStack, Servers]]()


class SharedServers:
    """In the controller of xdist: start the servers before the first worker, stop them last."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a new worker where the servers are."""
        stash = node.config.stash
        if SHARED not in stash:
            stack = ExitStack()
            stash[SHARED] = (stack, stack.enter_context(servers()))
        node.workerinput["servers"] = asdict(stash[SHARED][1])


def pytest_configure(config: pytest.Config) -> None:
    """Hook into xdist, where it is in use."""
    config.pluginmanager.register(SharedServers(), "shared-servers")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the controller started."""
    if SHARED in config.stash:
        config.stash[SHARED][0].close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Half a million objects stay until the end: no collection of garbage need look at them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000)
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first: where one comes last, the other workers wait for it.

    xdist gives each worker a stretch of the list. Each begins with some files of long ones.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    files = list(dict.fromkeys(item.path for item in slow))
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        ordered += [item for item in slow if item.path in files[worker::workers]]
        missing = max(len(items) * (worker + 1) // workers - len(ordered), 0)
        ordered += quick[:missing]
        del quick[:missing]
    items[:] = ordered


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """One loop for all async fixtures and tests, the one that production runs on."""
    return "asyncio", {"loop_factory": Loop}


class Loop(uvloop.Loop):
    """A look-up of an address that its asker has given up may still run in libuv's threads when
    the loop ends, which then says that it is busy. The process ends it."""

    def close(self) -> None:
        """Leave such a look-up alone."""
        with suppress(OSError):
            super().close()


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """A suite that logs in a thousand times hashes little; who tests hashing asks for more."""
    with hashing_by(CHEAP):
        yield


@pytest.fixture
def dear_hashes(cheap_hashes: None) -> Iterator[None]:
    """As in production."""
    with hashing_by(PRODUCTION):
        yield


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The servers, with databases of this worker's own."""
    worker: dict[str, Any] = getattr(request.config, "workerinput", {})
    with ExitStack() as stack:
        shared = Servers(**worker["servers"]) if worker else stack.enter_context(servers())
        number = int(worker.get("workerid", "gw0").removeprefix("gw"))
        yield stack.enter_context(own_databases(shared, number))


@pytest.fixture(scope="session")
def settings(board: Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a development board on the test engines."""
    storage: Path = tmp_path_factory.mktemp("storage")
    return Settings(
        base_url=BASE_URL,
        secret_key="a secret of the tests, thirty-two characters and more",
        database_url=board.database_url,
        redis_url=board.redis_url,
        mongo_url=board.mongo_url,
        storage_url=storage.as_uri(),
    )


@pytest.fixture(scope="session")
async def app(settings: Settings, anyio_backend: Any) -> AsyncIterator[App]:
    """The whole app, started."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def clean(app: FastAPI) -> AsyncIterator[None]:
    """Leave no rows and no keys behind."""
    yield
    database: Database = app.state.engines.database
    redis: Redis = app.state.engines.redis
    await empty(database.engine)
    await redis.flushdb()


@pytest.fixture
async def db(app: FastAPI, clean: None) -> Database:
    """The app's own database."""
    return app.state.engines.database


class Setting(AsyncSession):
    """Sets the stage. Its commits outdate all that is kept, however they changed the board."""

    async def commit(self) -> None:
        """Nothing that was asked before is given afterwards."""
        await super().commit()
        redis: Redis = self.info["redis"]
        if kept := await redis.keys("kept:*"):
            await redis.unlink(*kept)


@pytest.fixture
async def session(app: FastAPI, db: Database) -> AsyncIterator[AsyncSession]:
    """A session for set-up and for looking. What is not committed is rolled back."""
    redis = {"redis": app.state.engines.redis}
    async with Setting(db.engine, expire_on_commit=False, info=redis) as session:
        yield session


@pytest.fixture
async def mailbox(settings: Settings, db: Database) -> Mailbox:
    """The mail that the board sends. The worker sends it when the test looks."""
    return Mailbox(settings, db)


@pytest.fixture
async def client(app: App, clean: None) -> AsyncIterator[httpx2.AsyncClient]:
    """HTTP to the app, as a browser or a script would; a crash is a 500, not an exception.

    An error that the documentation of the API does not name fails the test.
    """
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    hooks: dict[str, list[Hook]] = {"response": [must_be_documented(app)]}
    async with httpx2.AsyncClient(
        transport=transport, base_url=BASE_URL, event_hooks=hooks
    ) as client:
        yield client


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Leave the logs of the other tests as they were: whoever sets them while `capsys` listens
    leaves them to a file that will be closed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logs.configure("text")
    root.handlers[:], root.level = handlers, level
