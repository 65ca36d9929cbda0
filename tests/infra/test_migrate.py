"""Migrations: found, in step with the models, and safe when two start at once."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from sqlalchemy import CheckConstraint, Column, Integer, Table

from jobboard.infra.migrate import heads, upgrade
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
