"""Statements of the search, written once for each shape of question.

To put a statement together and to turn it into SQL takes SQLAlchemy longer than PostgreSQL needs to
answer it. What changes from one question to the next stands in parameters with names; all else is
in `shape`, under which the SQL is kept.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ClauseElement

MOST = 2_000  # shapes; whoever asks for more of them pays for it, and nobody else

_kept: dict[Hashable, "Written"] = {}


class Written(NamedTuple):
    """SQL, and in their order the names of its parameters and what they hold in every question."""

    sql: str
    names: tuple[str, ...]
    always: Mapping[str, Any]


async def ask(
    session: AsyncSession,
    shape: Hashable,
    build: Callable[[], ClauseElement],
    values: Mapping[str, Any],
) -> Sequence[Row[Any]]:
    """The rows of a statement of that shape; `build` makes it if it has not been asked yet."""
    connection = await session.connection()
    written = _kept.get(shape)
    if written is None:
        compiled: Any = build().compile(dialect=connection.dialect)
        written = Written(str(compiled), tuple(compiled.positiontup), compiled.params)
        if len(_kept) < MOST:
            _kept[shape] = written
    given = tuple(values.get(name, written.always[name]) for name in written.names)
    return (await connection.exec_driver_sql(written.sql, given)).all()
