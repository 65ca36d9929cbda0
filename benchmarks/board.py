"""What benchmarks share: engines and a board of their own, a request, and processor time."""

import os
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text
from starlette.types import ASGIApp, Message

from jobboard.accounts.logins import open_web_login
from jobboard.accounts.service import create_admin
from jobboard.asgi import create_app
from jobboard.demo.board import fill
from jobboard.infra.embedded import ALL, temporary
from jobboard.infra.engines import Engines
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from jobboard.web.cookies import LOGIN

BASE = "http://127.0.0.1:8000"


@contextmanager
def board(*needed: str) -> Generator[Settings]:
    """Migrated engines of this benchmark's own: all, or those that are named as the settings."""
    with tempfile.TemporaryDirectory() as folder, temporary(needed=needed or ALL) as urls:
        upgrade(urls.database_url)
        yield Settings.model_validate(
            {
                "base_url": BASE,
                "secret_key": "a secret of the benchmarks, long enough for a key",
                "database_url": urls.database_url,
                "redis_url": urls.redis_url,
                "mongo_url": urls.mongo_url,
                "storage_url": Path(folder).as_uri(),
                "rate_limits": "off",
                "log_format": "json",
            }
        )


def scope_of(path: str, query: str = "", **headers: str) -> dict[str, Any]:
    """A GET, as a server tells an app of it."""
    sent = {"host": BASE.removeprefix("http://"), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()
        ],
        "client": ("203.0.113.7", 4711),
        "server": ("127.0.0.1", 8000),
    }


async def receive() -> Message:
    """It has no body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def seconds_of(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def analyse(database: Database, table: str) -> None:
    """Let PostgreSQL know what a table has come to hold."""
    async with database.engine.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text(f"VACUUM ANALYZE {table}"))


@contextmanager
def quiet() -> Generator[None]:
    """The log of requests goes nowhere: it is not what is measured."""
    saved = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@asynccontextmanager
async def serving(
    settings: Settings, wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app, **options: Any
) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of an app of its own, without a network between them."""
    app = create_app(settings)
    transport = httpx2.ASGITransport(app=wrap(app))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=BASE, **options) as client,
    ):
        yield client


async def filled(settings: Settings) -> str:
    """Put some jobs on the board; gives the cookie of an admin's log-in."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        engines: Engines = app.state.engines
        async with engines.database.transaction() as session:
            await fill(session, engines.storage, settings, jobs=100, seed=1)
            who = {
                "email": "bench@example.com",
                "full_name": "Ada",
                "password": os.urandom(9).hex(),
            }
            admin = await create_admin(session, settings, **who)
            login = await open_web_login(session, admin.id, settings, user_agent="benchmark")
    return f"{LOGIN}={login.token}"
