"""PostgreSQL, with what its commits change for the other processes of the board."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import structlog

from jobboard.infra.postgres import Database
from jobboard.infra.redis import make_patient_redis
from jobboard.infra.replica import Replica
from jobboard.infra.rings import Rings
from jobboard.infra.store import Store
from jobboard.infra.traces import Traces
from jobboard.settings import Settings

CLOSE_SECONDS = 3.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shared:
    """A database whose commits outdate kept answers, and ring for whom there is news."""

    database: Database
    store: Store
    rings: Rings

    @classmethod
    def make(cls, settings: Settings, traces: Traces | None, **options: Any) -> "Shared":
        """In the running loop; `options` are those of Database."""
        redis_url = settings.redis_url.get_secret_value()
        options = {"slow_ms": settings.slow_statement_ms, **options}
        store = Store(make_patient_redis(redis_url), settings.secret_key.get_secret_value())
        rings = Rings(make_patient_redis(redis_url))
        database = Database(
            settings.database_url.get_secret_value(),
            forget=store.forget,
            tell=rings.ring,
            **options,
        )
        if traces is not None:
            traces.watch(database.engine.sync_engine)
        return cls(database, store, rings)

    async def close(self) -> None:
        """All three, side by side."""
        await asyncio.gather(
            close_soon("postgres", self.database.close()),
            close_soon("store", self.store.close()),
            close_soon("rings", self.rings.close()),
        )


def make_replica(settings: Settings, traces: Traces | None) -> Replica | None:
    """The replica that the settings name, in the running loop."""
    url = settings.database_replica_url.get_secret_value()
    if not url:
        return None
    database = Database(url, slow_ms=settings.slow_statement_ms)
    if traces is not None:
        traces.watch(database.engine.sync_engine)
    primary = settings.database_url.get_secret_value()
    return Replica(database, url, primary, most_late=settings.database_replica_lag)


async def close_soon(name: str, closing: Awaitable[None] | None) -> None:
    """Close one client. A server that hangs must not keep the process from ending."""
    if closing is None:
        return
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing
    except Exception as error:  # noqa: BLE001 - whatever it was, the others must still be closed
        log.warning("engine.close_failed", engine=name, error=type(error).__name__)
