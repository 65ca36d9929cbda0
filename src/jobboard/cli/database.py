"""The database of a command."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from jobboard.infra.postgres import Database
from jobboard.infra.shared import Shared
from jobboard.settings import Settings


@asynccontextmanager
async def open_database(settings: Settings, **options: Any) -> AsyncGenerator[Database]:
    """One connection, whose commits the board's web processes hear of through Redis.

    Without a Redis there is nobody to hear. `options` are those of Database. Slow statements are
    not named: those of commands are long, and a person watches.
    """
    options |= {"pool_size": 1, "slow_ms": 0}
    if settings.redis_url.get_secret_value():
        shared = Shared.make(settings, None, **options)
        database, closing = shared.database, shared.close
    else:
        database = Database(settings.database_url.get_secret_value(), **options)
        closing = database.close
    try:
        yield database
    finally:
        await closing()
