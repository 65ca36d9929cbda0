"""The database of a command that changes what everybody sees."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from jobboard.infra.postgres import Database
from jobboard.infra.redis import make_patient_redis
from jobboard.infra.store import Store
from jobboard.settings import Settings


@asynccontextmanager
async def open_database(settings: Settings, **options: Any) -> AsyncGenerator[Database]:
    """One connection, whose commits outdate what the board's web processes keep in Redis.

    Without a Redis there is nobody who keeps anything. `options` are those of Database.
    """
    url, redis_url = settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()
    store = None
    if redis_url:
        store = Store(make_patient_redis(redis_url), settings.secret_key.get_secret_value())
        options["forget"] = store.forget
    database = Database(url, pool_size=1, **options)
    try:
        yield database
    finally:
        await database.close()
        if store is not None:
            await store.close()
