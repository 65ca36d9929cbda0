"""Bring a database up to date, at the price of one query when it already is.

Every start asks, and Alembic with all models takes a second to load: `revisions.py` is for the
start that finds something to do.
"""

import ast
import asyncio
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import asyncpg

from jobboard.infra import leftout

PACKAGE = Path(__file__).parents[1]
ASSIGNED = re.compile(r"^(revision|down_revision)\b[^=]*= (.+)$", re.MULTILINE)


def scripts() -> Path:
    """Where the migrations are: in the installed package, or beside `src` in the source tree."""
    installed = PACKAGE / "_migrations"
    return installed if installed.exists() else PACKAGE.parents[1] / "migrations"


def upgrade(database_url: str) -> None:
    """Bring the schema up to date. Two at once wait for each other.

    Indexes that a killed run of `jobboard demo` left out are made again: first, for migrations
    count on them.
    """
    asyncio.run(_mend(database_url))
    if asyncio.run(current(database_url)) != heads():
        from jobboard.infra.revisions import upgrade as alembic_upgrade  # see above

        alembic_upgrade(database_url)


async def _mend(database_url: str) -> None:
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        async with leftout.alone(connection) as mine:
            if mine:
                await leftout.make_again(connection)
    finally:
        await connection.close()


def script(database_url: str) -> str:
    """The SQL that `upgrade` would run, to be read first; nothing for a database up to date."""
    found = asyncio.run(current(database_url))
    if found == heads():
        return ""
    from jobboard.infra.revisions import script as alembic_script  # see above

    return alembic_script(found)


def heads() -> set[str]:
    """The revisions that no other one follows."""
    followed: set[str] = set()
    for before in known().values():
        followed.update([before] if isinstance(before, str) else before or ())
    return known().keys() - followed


@cache
def known() -> dict[str, str | Sequence[str] | None]:
    """Every revision of this version with what it follows, read from the files as text."""
    found = {}
    for path in scripts().glob("versions/*.py"):
        values = dict(ASSIGNED.findall(path.read_text("utf-8")))
        revision, before = (
            ast.literal_eval(values[name]) for name in ("revision", "down_revision")
        )
        found[revision] = before
    return found


async def current(database_url: str) -> set[str]:
    """The revisions that the database is at; none for an empty one."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        rows = await connection.fetch("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return set()
    finally:
        await connection.close()
    return {row["version_num"] for row in rows}
