"""Alembic, without its ini file: upgrade a database, and compare the models with the migrations."""

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from jobboard.errors import Unavailable
from jobboard.infra.locks import MIGRATING
from jobboard.infra.migrate import scripts
from jobboard.infra.postgres import async_url

# A migration that waits for a lock makes everyone wait who comes after it: it gives up soon,
# undone, and can be tried again. What takes longer belongs into batches of its own.
LIMITS = {"lock_timeout": "5s", "statement_timeout": "15min"}
LOCK_NOT_AVAILABLE = "55P03"
IN_USE = (
    "A table is in use by a long transaction, so this migration gave up after "
    f"{LIMITS['lock_timeout']} and changed nothing. Try again when the board is quieter."
)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

# Every column, constraint and index, each as one line. Triggers and functions are no models.
CATALOG = """
SELECT format('column %s.%s %s%s default %s generated %s identity %s', c.relname, a.attname,
              format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' END,
              pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity)
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
   AND c.relname <> 'alembic_version'
 UNION ALL
SELECT format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND contype NOT IN ('n', 't')
   AND conrelid::regclass::text <> 'alembic_version'
 UNION ALL
SELECT format('index %s', indexdef) FROM pg_indexes
 WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
PROGRAMS = """
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
 UNION ALL
SELECT pg_get_functiondef(oid) FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def upgrade(database_url: str, to: str = "head") -> None:
    """To a revision, the newest if none is named. Two at once wait for each other."""
    asyncio.run(_alembic(database_url, lambda config: command.upgrade(config, to)))


def downgrade(database_url: str, to: str = "base") -> None:
    """Back to an older revision, or to an empty database. What the newer ones held is lost."""
    asyncio.run(_alembic(database_url, lambda config: command.downgrade(config, to)))


def script(since: set[str]) -> str:
    """The SQL that leads from some revisions (none: an empty database) to the newest."""
    written = io.StringIO()
    config = _config(output_buffer=written)
    command.upgrade(config, f"{''.join(since) or 'base'}:head", sql=True)
    return "".join(f"SET {name} = '{value}';\n" for name, value in LIMITS.items()) + (
        written.getvalue()
    )


def catalog(database_url: str) -> set[str]:
    """Every column, constraint, index, trigger and function of ours, each as one line."""
    return asyncio.run(_whole_catalog(database_url))


def revision(database_url: str, message: str) -> None:  # pragma: no cover - it writes our source
    """Write a migration with what the models have and the database, brought up to date, lacks."""
    upgrade(database_url)
    asyncio.run(
        _alembic(database_url, lambda config: command.revision(config, message, autogenerate=True))
    )


def check(database_url: str, metadata: MetaData) -> list[str]:
    """What differs between the tables of `metadata` and those that the migrations make.

    Compared by what PostgreSQL says of two scratch databases, because Alembic's own comparison
    misses CHECK constraints and some defaults. The role must be allowed to create databases.
    """
    return asyncio.run(_check(database_url, metadata))


async def _alembic(database_url: str, verb: Callable[[Config], object]) -> None:
    config = _config()

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        verb(config)

    # A connection of its own holds the lock, so that a migration may commit in between.
    async with (
        _engine(database_url) as patient,
        _engine(database_url, LIMITS) as engine,
        patient.connect() as guard,
        engine.connect() as connection,
    ):
        await guard.execution_options(isolation_level="AUTOCOMMIT")
        await guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATING})
        try:
            await connection.run_sync(run)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            raise Unavailable(IN_USE) from None


def _config(**options: Any) -> Config:
    config = Config(**options)
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s_%%(rev)s")
    return config


async def _check(database_url: str, metadata: MetaData) -> list[str]:
    async with _scratch(database_url, "template1") as migrated:
        await _alembic(migrated, lambda config: command.upgrade(config, "head"))
        made = await _catalog(migrated)
        # The models' tables come into a copy: functions and extensions are the migrations' own.
        async with _scratch(database_url, make_url(migrated).database) as models:
            meant = await _catalog(models, metadata)
    return [
        *(f"only in the models: {line}" for line in sorted(meant - made)),
        *(f"only in the migrations: {line}" for line in sorted(made - meant)),
    ]


async def _whole_catalog(database_url: str) -> set[str]:
    async with _engine(database_url) as engine, engine.connect() as connection:
        programs = set((await connection.scalars(text(PROGRAMS))).all())
    return await _catalog(database_url) | programs


async def _catalog(database_url: str, metadata: MetaData | None = None) -> set[str]:
    """The lines of CATALOG, after making the tables anew from `metadata` where it is given."""
    async with _engine(database_url) as engine, engine.begin() as connection:
        if metadata is not None:
            for table in (await connection.scalars(text(TABLES))).all():
                await connection.execute(text(f'DROP TABLE "{table}" CASCADE'))
            await connection.run_sync(metadata.create_all)
        return set((await connection.scalars(text(CATALOG))).all())


@asynccontextmanager
async def _scratch(url: str, template: str | None) -> AsyncGenerator[str]:
    name = f"check_{uuid4().hex[:12]}"
    async with _engine(url) as engine, engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            await connection.execute(text(f"DROP DATABASE {name}"))


@asynccontextmanager
async def _engine(
    database_url: str, settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncGenerator[AsyncEngine]:
    """`settings` are those of PostgreSQL, for each of its connections."""
    engine = create_async_engine(
        async_url(database_url), poolclass=NullPool, connect_args={"server_settings": {**settings}}
    )
    try:
        yield engine
    finally:
        await engine.dispose()
