"""Statements of the search, written once for each shape of question.

To put a statement together and to turn it into SQL takes SQLAlchemy longer than PostgreSQL needs to
answer it. What changes from one question to the next stands in parameters with names; all else is
in `shape`, under which the SQL is kept.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql import ClauseElement

MOST = 2_000  # shapes; what was not asked for longest goes

_kept: dict[Hashable, "Written"] = {}  # the last asked last


class Written(NamedTuple):
    """SQL, and in their order the names of its parameters and what they hold in every question."""

    sql: str
    names: tuple[str, ...]
    given: frozenset[str]  # names of what each question must bring
    always: Mapping[str, Any]


async def ask(
    session: AsyncSession,
    shape: Hashable,
    build: Callable[[], ClauseElement],
    values: Mapping[str, Any],
) -> Sequence[Row[Any]]:
    """The rows of a statement of that shape; `build` makes it if it has not been asked yet."""
    connection = await session.connection()
    sql, given = _written(connection, shape, build, values)
    return (await connection.exec_driver_sql(sql, given)).all()


async def explained(
    session: AsyncSession,
    shape: Hashable,
    build: Callable[[], ClauseElement],
    values: Mapping[str, Any],
) -> Mapping[str, Any]:
    """PostgreSQL's plan of such a statement, which is not run."""
    connection = await session.connection()
    sql, given = _written(connection, shape, build, values)
    plan = (await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", given)).scalar_one()
    [told] = json.loads(plan) if isinstance(plan, str) else plan
    return told["Plan"]


def _written(
    connection: AsyncConnection,
    shape: Hashable,
    build: Callable[[], ClauseElement],
    values: Mapping[str, Any],
) -> tuple[str, tuple[Any, ...]]:
    written = _kept.pop(shape, None)
    if written is None:
        compiled: Any = build().compile(dialect=connection.dialect)
        names = tuple(compiled.positiontup)
        written = Written(str(compiled), names, frozenset(values), compiled.params)
    _kept[shape] = written
    if len(_kept) > MOST:
        del _kept[next(iter(_kept))]
    if written.given != values.keys():  # else it would be asked with somebody else's
        raise RuntimeError("This shape of statement was asked with other parameters before.")
    return written.sql, tuple(values.get(name, written.always[name]) for name in written.names)
