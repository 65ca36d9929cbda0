"""The test board's servers: one set for the whole run, databases of its own for each worker."""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jobboard.infra.embedded import temporary
from jobboard.infra.migrate import upgrade
from jobboard.models import metadata

# Servers of one's own instead of embedded ones. The role must be allowed to create databases.
EXTERNAL = {
    "database_url": "JOBBOARD_TEST_DATABASE_URL",
    "redis_url": "JOBBOARD_TEST_REDIS_URL",
    "mongo_url": "JOBBOARD_TEST_MONGO_URL",
}
APPEND_ONLY = {
    "audit_log",
    "entries",
    "transfers",
}  # a trigger refuses to delete; the owner of a table may lift it
# Connections of our own role to a database, but for this one.
OTHERS = "datname = '{}' AND usename = current_user AND pid <> pg_backend_pid()"
# The board's own wallets, the first synonyms and exchange rates come with the migrations.
KEPT = {
    "wallets": "DELETE FROM wallets WHERE board IS NULL",
    "synonyms": "DELETE FROM synonyms WHERE created_at > (SELECT min(created_at) FROM synonyms)",
    "exchange_rates": "DELETE FROM exchange_rates"
    " WHERE loaded_at > (SELECT min(loaded_at) FROM exchange_rates)",
}
RESET = (
    "ALTER TABLE wallets DISABLE TRIGGER USER",
    "UPDATE wallets SET balance = 0, entry_count = 0 WHERE entry_count > 0",
    "ALTER TABLE wallets ENABLE TRIGGER USER",
)


@dataclass(frozen=True)
class Servers:
    """Where they are, and the name of a migrated database to copy."""

    database_url: str
    redis_url: str
    mongo_url: str
    template: str


@contextmanager
def servers() -> Generator[Servers]:
    """Start what the environment does not name, and make the migrated template."""
    given = {setting: os.environ.get(name, "") for setting, name in EXTERNAL.items()}
    with temporary(needed=[setting for setting, url in given.items() if not url]) as started:
        urls = {setting: url or getattr(started, setting) for setting, url in given.items()}
        with new_database(urls["database_url"]) as template:
            upgrade(at(urls["database_url"], template))
            yield Servers(**urls, template=template)


@contextmanager
def own_databases(shared: Servers, worker: int) -> Generator[Servers]:
    """The servers with databases that only this worker uses, dropped at the end."""
    with new_database(shared.database_url, template=shared.template) as name:
        yield Servers(
            at(shared.database_url, name),
            at(shared.redis_url, str(worker % 15 + 1)),
            shared.mongo_url and at(shared.mongo_url, name),
            shared.template,
        )


@contextmanager
def new_database(url: str, *, template: str = "template1") -> Generator[str]:
    """A new database on the server of `url`, a copy of `template`; dropped at the end."""
    name = f"test_{uuid4().hex[:12]}"
    asyncio.run(_execute(url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield name
    finally:
        # Not WITH (FORCE): that fails where autovacuum is at work, which a plain DROP sends away.
        leave = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {OTHERS}"
        asyncio.run(_execute(url, leave.format(name), f"DROP DATABASE {name}"))


def at(url: str, database: str) -> str:
    """`url` with another database in its path."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


async def empty(engine: AsyncEngine) -> None:
    """Delete all rows, children first: 2 ms where few tables hold any.

    A TRUNCATE makes new files for each table and index: ten times as slow for a few rows.
    """
    async with engine.begin() as connection:
        tables = await filled_tables(connection)
        for table in tables:
            if table in APPEND_ONLY:
                await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            await connection.execute(text(KEPT.get(table, f"DELETE FROM {table}")))
            if table in APPEND_ONLY:
                await connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
            if table == "entries":
                for statement in RESET:
                    await connection.execute(text(statement))
        if "jobs" in tables:  # a trigger noted that they went
            await connection.execute(text("DELETE FROM term_changes"))


async def filled_tables(connection: AsyncConnection) -> list[str]:
    """Those that hold rows, children first."""
    tables = [table.name for table in reversed(metadata.sorted_tables)]
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables
    )
    return list((await connection.scalars(text(filled))).all())


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
