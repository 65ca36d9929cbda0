"""Rows out of PostgreSQL in one snapshot, and back in one transaction.

By COPY and not by pg_dump: that program must be as new as the server, and would have to be on every
machine that makes a backup. Nor does a backup hold the schema: the migrations make it, as it was
when the backup was made, and bring it up to date once the rows are there.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from jobboard.backup.archive import Broken, Parts, Writer
from jobboard.errors import Conflict
from jobboard.infra.locks import COPYING

FOLDER = "postgres"
PATIENCE = "60s"  # for a migration or another backup to end
CLIENT = "jobboard backup"
# The application_name of web processes, workers and commands; in a request, its id follows.
OURS = "jobboard"
# Rows that a board has before anybody came: of a migration, or of a worker that waits for work.
BEFORE_ANYBODY = {"exchange_rates", "schedules", "synonyms", "wallets"}
# Every table of ours, with the columns that are written and not computed.
TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND NOT c.relispartition AND c.relname <> 'alembic_version'
   AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 GROUP BY c.relname ORDER BY c.relname
"""
SEQUENCES = "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'public'"
FOREIGN_KEYS = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
              pg_get_constraintdef(oid))
  FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND contype = 'f' AND conparentid = 0
"""
# Those that are not a primary key or a unique constraint: made anew, they are quicker than grown.
# An expression or a condition stays, for PostgreSQL reads its own words back as others.
INDEXES = """
SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
   AND NOT c.relispartition AND i.indpred IS NULL AND i.indexprs IS NULL
   AND NOT EXISTS (SELECT FROM pg_constraint
                    WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> $2
   AND (application_name = $1 OR application_name LIKE $1 || ' %')
"""
Columns = Mapping[str, Sequence[str]]  # by table


@asynccontextmanager
async def snapshot(url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that sees the moment at which it began, until it ends.

    From before that moment on no file is deleted. Raises Conflict where something is in the way.
    """
    async with _connected(url) as connection:
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", COPYING)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                if names := ", ".join(map(_quoted, await columns(connection))):
                    await connection.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")
                yield connection
        except asyncpg.LockNotAvailableError:
            raise Conflict(
                "Another backup or a migration has been under way for a minute; try again when it "
                "is over."
            ) from None


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[asyncpg.Connection]:
    settings = {
        "application_name": CLIENT,
        "timezone": "UTC",
        "lock_timeout": PATIENCE,
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
    connection = await asyncpg.connect(url, timeout=10, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def revision(connection: asyncpg.Connection) -> str:
    """Which migration the schema is at; empty for a database without one."""
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return ""
    return await connection.fetchval("SELECT min(version_num) FROM alembic_version") or ""


async def columns(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Of each table."""
    return {name: list(found) for name, found in await connection.fetch(TABLES)}


async def sequences(connection: asyncpg.Connection) -> dict[str, int | None]:
    """What each has given last; None: nothing yet."""
    return dict(await connection.fetch(SEQUENCES))


async def dump(connection: asyncpg.Connection, tables: Columns, writer: Writer) -> dict[str, int]:
    """Every row; how many each table has."""
    counts = {}
    for table, names in tables.items():
        query = f"SELECT {_listed(names)} FROM {_quoted(table)}"
        with writer.thing(f"{FOLDER}/{table}") as thing:

            async def write(piece: bytes, thing: Any = thing) -> None:
                thing.write(piece)

            counts[table] = _count(await connection.copy_from_query(query, output=write))
    return counts


async def filled(url: str) -> list[str]:
    """The tables with rows that somebody would miss. Raises Conflict while the board runs."""
    async with _connected(url) as connection:
        if await connection.fetchval(OTHERS, OURS, CLIENT):
            raise Conflict(
                "The board is running on that database: stop its web processes and workers first."
            )
        tables = [name for name in await columns(connection) if name not in BEFORE_ANYBODY]
        if not tables:
            return []
        each = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {_quoted(name)})" for name in tables)
        return [row[0] for row in await connection.fetch(" UNION ALL ".join(each))]


@asynccontextmanager
async def loading(
    url: str, tables: Columns, given: Mapping[str, int | None]
) -> AsyncGenerator[asyncpg.Connection]:
    """A transaction in which all tables are empty and take rows in any order; at its end all keys,
    indexes and triggers are there again, and sequences go on after what was `given` last.

    Raises Broken where the tables are not those.
    """
    async with _connected(url) as connection:
        known = (await columns(connection), (await sequences(connection)).keys())
        if known != ({name: list(names) for name, names in tables.items()}, given.keys()):
            raise Broken("The backup's tables are not those of the schema that it names.")
        async with connection.transaction():
            names = ", ".join(map(_quoted, tables))
            await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            keys = await connection.fetch(FOREIGN_KEYS)
            for drop, _ in keys:
                await connection.execute(drop)
            indexes = await connection.fetch(INDEXES)
            for drop, _ in indexes:
                await connection.execute(drop)
            await _triggers(connection, tables, "DISABLE")
            await connection.execute(f"TRUNCATE {names}")
            yield connection
            await connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
            for _, make in (*indexes, *keys):
                await connection.execute(make)
            await _triggers(connection, tables, "ENABLE")
            await _wind(connection, given)
        await connection.execute("ANALYZE")


async def _triggers(connection: asyncpg.Connection, tables: Columns, verb: str) -> None:
    for table in tables:
        await connection.execute(f"ALTER TABLE {_quoted(table)} {verb} TRIGGER USER")


async def load(
    connection: asyncpg.Connection, table: str, names: Sequence[str], parts: Parts
) -> int:
    """The rows of one table; how many. Raises Broken for what are no rows."""

    async def pieces() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    try:
        said = await connection.copy_to_table(table, source=pieces(), columns=list(names))
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise Broken(f"The backup's {table} cannot be rows of this board ({error}).") from None
    return _count(said)


async def _wind(connection: asyncpg.Connection, given: Mapping[str, int | None]) -> None:
    for name, last in given.items():
        if last is not None:
            await connection.execute("SELECT setval($1::regclass, $2)", _quoted(name), last)


def _count(said: str) -> int:
    return int(said.removeprefix("COPY "))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))
