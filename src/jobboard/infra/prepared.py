"""Statements that never change, and are asked for too often to be put together each time.

SQLAlchemy finds the compiled form of a statement by a key of all its parts, which it hashes at each
execution, and binds values through one more dictionary. A large statement pays more for that than
for its way to the server and back.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session


class Prepared:
    """A statement that is compiled once. Values go to the driver as they are, and come as it has
    them: words, numbers, ids, moments."""

    def __init__(self, statement: Select) -> None:
        """`statement` names what it is given by `bindparam`."""
        compiled = statement.compile(dialect=asyncpg.dialect())
        self.text, self._order = str(compiled), compiled.positiontup or []
        self._fixed = {
            name: bind.value for bind, name in compiled.bind_names.items() if not bind.required
        }

    async def first(self, session: AsyncSession, values: Mapping[str, Any]) -> Row[Any] | None:
        """Its first row, in the session's transaction."""
        return await session.run_sync(self._first, values)  # connect and execute in one go

    def _first(self, session: Session, values: Mapping[str, Any]) -> Row[Any] | None:
        given = {**self._fixed, **values}
        ordered = tuple([given[name] for name in self._order])
        return session.connection().exec_driver_sql(self.text, ordered).first()
