"""PostgreSQL knows for which request it works, and what takes long is named in the log."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobboard.infra.postgres import Database
from jobboard.infra.provenance import Origin, coming_from
from jobboard.settings import Settings

pytestmark = pytest.mark.anyio

WHO = text("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
Open = Callable[..., Database]


@pytest.fixture
async def open_database(settings: Settings) -> AsyncGenerator[Open]:
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> Database:
            database = Database(settings.database_url.get_secret_value(), pool_size=1, **options)
            stack.push_async_callback(database.close)
            return database

        yield make


async def ask(database: Database, statement: str, **values: Any) -> Any:
    async with database.transaction() as session:
        return await session.scalar(text(statement), values)


@pytest.mark.parametrize(
    ("request_id", "name"), [("3f6c", "jobboard 3f6c"), ("a" * 64, f"jobboard {'a' * 54}")]
)
async def test_the_server_is_told_whom_it_works_for(
    open_database: Open, request_id: str, name: str
) -> None:
    database = open_database()
    with coming_from(Origin(request_id=request_id)):
        async with database.transaction() as session:
            assert await session.scalar(WHO) == name
            async with session.begin_nested():  # a savepoint keeps it
                assert await session.scalar(WHO) == name
    async with database.transaction() as session:  # the same connection, for nobody
        assert await session.scalar(WHO) == "jobboard"


async def lines(doing: Awaitable[object]) -> list[Any]:
    with (
        structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as seen,
        coming_from(Origin(request_id="3f6c")),
    ):
        await doing
    return [line for line in seen if line["event"] == "statement.slow"]


async def test_what_takes_long_is_named_without_its_values(open_database: Open) -> None:
    database = open_database(slow_ms=50)
    assert await lines(ask(database, "SELECT 1")) == []
    (line,) = await lines(
        ask(database, "SELECT pg_sleep(0.06),\n  CAST(:name AS text)", name="Ada")
    )
    assert line["ms"] >= 60
    assert line["statement"].startswith("SELECT pg_sleep(0.06), CAST($1")
    assert (line["request_id"], line["log_level"]) == ("3f6c", "warning")
    assert database.slow
    assert database.slow.number == 1


async def test_what_the_server_stopped_is_named_too(open_database: Open) -> None:
    database = open_database(slow_ms=50, statement_timeout_ms=80)

    async def stopped() -> None:
        with pytest.raises(DBAPIError, match="statement timeout"):
            await ask(database, "SELECT pg_sleep(5)")

    (line,) = await lines(stopped())
    assert line["statement"] == "SELECT pg_sleep(5)"


async def test_it_can_be_switched_off(open_database: Open) -> None:
    assert await lines(ask(open_database(slow_ms=0), "SELECT pg_sleep(0.06)")) == []
