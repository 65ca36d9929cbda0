"""PostgreSQL: the engine, the declarative base, and the only begin and commit.

`Database.transaction()` begins, yields the session, commits, and only then rings for the
messages that were queued meanwhile, forgets kept answers that it made wrong and tells of what is
new. Nothing else in the project commits.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from sqlalchemy import DateTime, Enum, ExceptionContext, MetaData, Text, event, func, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from jobboard.infra.statements import NAME, NamedConnection, SlowStatements

LOCK_TIMEOUT_MS = 5000
GRACE_SECONDS = 2  # beyond the server's own statement timeout, before we stop to wait for it
REST_SECONDS = 1.0  # without use, after which a connection is asked whether it lives
USED_AT = "used_at"  # key in the info of a pooled connection
RING = "ring"  # key in session.info: a message was queued, ring after the commit
RUNG = "rung"  # the same: whom there is something new for, ring after the commit (rings.py)
OUTDATED = "outdated"  # the same: tags of kept answers to forget after the commit (freshness.py)


class Base(DeclarativeBase):
    """Base of every table. Constraint names are fixed, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        str: Text,
    }


Id = Annotated[UUID, mapped_column(PG_UUID, primary_key=True, server_default=text("uuidv7()"))]
CreatedAt = Annotated[datetime, mapped_column(server_default=func.now())]


def words(kind: type[StrEnum]) -> Enum:
    """A text column that holds only the values of `kind`, by a CHECK that migrations can widen."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        name=kind.__name__.lower(),
        length=None,
        values_callable=lambda members: [member.value for member in members],
    )


def async_url(url: str) -> str:
    """`postgresql://...` as SQLAlchemy wants it for asyncpg."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def _give_up_on_the_silent(context: ExceptionContext) -> None:
    """A server that answered nothing in time would not answer a ROLLBACK either: hang up."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True


def _note_use(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[USED_AT] = monotonic()


def _ping_the_rested(connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection that rested whether it still lives: the pool makes another if not.

    One that served a moment ago is not asked, unlike with `pool_pre_ping`: three round trips are
    more than most transactions need themselves.
    """
    rested = monotonic() - entry.info.get(USED_AT, monotonic())
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if rested > REST_SECONDS:
        try:
            connection.ping()
        except Exception as error:
            raise InvalidatePoolError from error


async def _nothing(_names: Collection[str]) -> None:
    """Where no answers are kept, and nobody listens."""


async def _give_up(session: AsyncSession) -> None:
    """Roll back, also what failed amid its commit: `close` alone would leave that open."""
    try:
        await session.rollback()
    finally:
        await session.close()


class Database:
    """One engine and its transactions. Made in a lifespan, never at module level."""

    def __init__(
        self,
        url: str,
        *,
        ring: Callable[[], None] = lambda: None,
        forget: Callable[[Collection[str]], Awaitable[None]] = _nothing,
        tell: Callable[[Collection[str]], Awaitable[None]] = _nothing,
        pool_size: int = 10,
        statement_timeout_ms: int = 10_000,
        idle_timeout_ms: int = 30_000,
        slow_ms: int = 0,
    ) -> None:
        """`idle_timeout_ms` is how long a transaction may rest between statements; 0: for ever.
        What takes longer than `slow_ms` is logged; 0: nothing is."""
        self._ring, self._forget, self._tell = ring, forget, tell
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            connect_args={
                "timeout": 5,
                "connection_class": NamedConnection,
                "command_timeout": statement_timeout_ms / 1000 + GRACE_SECONDS,
                "server_settings": {
                    "application_name": NAME,
                    "timezone": "UTC",
                    "jit": "off",
                    "statement_timeout": str(statement_timeout_ms),
                    "lock_timeout": str(LOCK_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": str(idle_timeout_ms),
                },
            },
        )
        engine = self.engine.sync_engine
        self.slow = SlowStatements(engine, slow_ms / 1000) if slow_ms else None
        event.listen(engine, "handle_error", _give_up_on_the_silent)
        event.listen(engine.pool, "checkin", _note_use)
        event.listen(engine.pool, "checkout", _ping_the_rested)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """Begin, yield, commit; then ring, forget and tell. On an error: roll back, no more."""
        session = AsyncSession(self.engine, expire_on_commit=False)
        try:
            yield session
            await session.commit()
        except BaseException:
            await asyncio.shield(_give_up(session))  # even where we are cancelled
            raise
        # The connection went back at the commit. Every request pays for a wait: here is none.
        session.sync_session.close()
        if session.info.get(RING):
            self._ring()
        after: list[Awaitable[None]] = []
        if tags := session.info.get(OUTDATED):
            after.append(self._forget(tags))
        if names := session.info.get(RUNG):
            after.append(self._tell(names))
        if after:  # both at once, for both may wait for a server; even where we are cancelled
            await asyncio.shield(asyncio.gather(*after))

    async def ping(self) -> None:
        """Raise if the server does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
