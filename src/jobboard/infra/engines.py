"""The servers that a process talks to, made together and closed together."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from jobboard.infra.cache import Cache
from jobboard.infra.limiter import Limiter
from jobboard.infra.mongo import Mongo
from jobboard.infra.pictures import Pictures
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Doorbell
from jobboard.infra.redis import make_patient_redis, make_redis
from jobboard.infra.rings import Rings
from jobboard.infra.storage import Storage
from jobboard.infra.store import Store
from jobboard.settings import Settings

CLOSE_SECONDS = 3.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engines:
    """Every client of the web process. Doors reach it as `request.app.state.engines`."""

    settings: Settings
    database: Database
    doorbell: Doorbell
    redis: Redis
    mongo: Mongo | None
    limiter: Limiter
    store: Store
    rings: Rings
    cache: Cache
    storage: Storage
    pictures: Pictures


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncGenerator[Engines]:
    """Make every client, in the running loop; close them side by side at the end.

    Nothing is dialled here: a server that is gone at start-up may come back later.
    """
    engines = _make(settings)
    try:
        yield engines
    finally:
        await _close("cache", engines.cache.close())  # it may be at the database
        await asyncio.gather(
            _close("mongo", engines.mongo.close() if engines.mongo else None),
            _close("postgres", engines.database.close()),
            _close("doorbell", asyncio.to_thread(engines.doorbell.close)),
            _close("redis", engines.redis.aclose()),
            _close("limiter", engines.limiter.close()),
            _close("store", engines.store.close()),
            _close("rings", engines.rings.close()),
        )


def _make(settings: Settings) -> Engines:
    redis_url = settings.redis_url.get_secret_value()
    mongo_url = settings.mongo_url.get_secret_value()
    redis, doorbell = make_redis(redis_url), Doorbell(redis_url)
    store = Store(make_patient_redis(redis_url), settings.secret_key.get_secret_value())
    rings = Rings(make_patient_redis(redis_url))
    database = Database(
        settings.database_url.get_secret_value(),
        ring=doorbell.ring,
        forget=store.forget,
        tell=rings.ring,
    )
    return Engines(
        settings=settings,
        database=database,
        doorbell=doorbell,
        redis=redis,
        mongo=Mongo(mongo_url) if mongo_url else None,
        limiter=Limiter(
            make_patient_redis(redis_url),
            enabled=settings.rate_limits == "on",
            production=settings.production,
        ),
        store=store,
        rings=rings,
        cache=Cache(store, database, enabled=settings.cache == "on"),
        storage=Storage(settings.storage_url),
        pictures=Pictures(),
    )


async def _close(name: str, closing: Awaitable[None] | None) -> None:
    """Close one client. A server that hangs must not keep the process from ending."""
    if closing is None:
        return
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing
    except Exception as error:  # noqa: BLE001 - whatever it was, the others must still be closed
        log.warning("engine.close_failed", engine=name, error=type(error).__name__)
