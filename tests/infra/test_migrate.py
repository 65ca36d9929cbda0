"""Migrations: found, in step with the models, and safe when two start at once."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from sqlalchemy import CheckConstraint, Column, Integer, Table
from sqlalchemy.exc import ProgrammingError

from jobboard.errors import Unavailable
from jobboard.infra import revisions
from jobboard.infra.migrate import heads, script, upgrade
from jobboard.infra.revisions import check
from jobboard.models import metadata
from tests.boards import Servers, at, new_database


@pytest.fixture
def empty(board: Servers) -> Iterator[str]:
    """The address of a database without tables."""
    with new_database(board.database_url) as name:
        yield at(board.database_url, name)


async def version(url: str) -> str:
    """The revision that a database is at."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()


def test_two_at_once_wait_for_each_other(empty: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(upgrade, [empty, empty]))
    upgrade(empty)
    assert {asyncio.run(version(empty))} == heads()


def test_up_down_and_up_again_makes_the_same(empty: str) -> None:
    nothing = revisions.catalog(empty)
    upgrade(empty)
    first = revisions.catalog(empty)
    assert any(line.startswith("CREATE TRIGGER") for line in first)
    revisions.downgrade(empty)
    assert revisions.catalog(empty) == nothing
    upgrade(empty)
    assert revisions.catalog(empty) == first


async def run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_the_sql_that_is_printed_does_the_same(empty: str, board: Servers) -> None:
    written = script(empty)
    assert written.startswith("SET lock_timeout = '5s';")
    asyncio.run(run(empty, written))
    with new_database(board.database_url) as name:
        upgrade(other := at(board.database_url, name))
        assert revisions.catalog(empty) == revisions.catalog(other)
    assert script(empty) == ""


async def locked(url: str, call: Callable[[], None]) -> None:
    """Call while another transaction uses a table."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE tasks IN ACCESS SHARE MODE")
            await asyncio.to_thread(call)
    finally:
        await connection.close()


def test_a_migration_gives_up_instead_of_blocking_the_board(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(empty)
    before = revisions.catalog(empty)
    monkeypatch.setitem(revisions.LIMITS, "lock_timeout", "50ms")
    with pytest.raises(Unavailable, match="Try again"):
        asyncio.run(locked(empty, lambda: revisions.downgrade(empty)))
    revisions.upgrade(empty)
    assert revisions.catalog(empty) == before


@pytest.fixture
def unmigrated() -> Iterator[Table]:
    """A table of the models that no migration makes."""
    positive = CheckConstraint("n > 0", name="positive")
    table = Table("extra", metadata, Column("n", Integer), positive)
    yield table
    metadata.remove(table)


def test_models_and_migrations_are_in_step(empty: str) -> None:
    assert check(empty, metadata) == []


def test_the_check_sees_what_alembic_would_miss(empty: str, unmigrated: Table) -> None:
    assert check(empty, metadata) == [
        "only in the models: column extra.n integer default  generated  identity ",
        "only in the models: constraint extra.ck_extra_positive CHECK ((n > 0))",
    ]


def test_what_is_wrong_with_a_database_is_said_as_it_is(empty: str) -> None:
    async def spoil() -> None:
        connection = await asyncpg.connect(empty)
        await connection.execute("CREATE TABLE people (ours boolean)")
        await connection.close()

    asyncio.run(spoil())
    with pytest.raises(ProgrammingError, match='relation "people" already exists'):
        upgrade(empty)
