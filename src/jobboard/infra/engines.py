"""The servers that a process talks to, made together and closed together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from jobboard.infra.cache import Cache
from jobboard.infra.limiter import Limiter
from jobboard.infra.mongo import Mongo
from jobboard.infra.pictures import Pictures
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Doorbell
from jobboard.infra.redis import make_patient_redis, make_redis
from jobboard.infra.replica import Reads
from jobboard.infra.rings import Rings
from jobboard.infra.shared import Shared, close_soon, make_replica
from jobboard.infra.storage import Storage
from jobboard.infra.store import Store
from jobboard.infra.traces import Traces
from jobboard.settings import Settings


@dataclass(frozen=True, slots=True)
class Engines:
    """Every client of the web process. Doors reach it as `request.app.state.engines`."""

    settings: Settings
    database: Database
    reads: Reads
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
async def open_engines(settings: Settings, traces: Traces | None = None) -> AsyncGenerator[Engines]:
    """Make every client, in the running loop; close them side by side at the end.

    Nothing is dialled here: a server that is gone at start-up may come back later.
    """
    doorbell = Doorbell(settings.broker)
    shared = Shared.make(settings, traces, ring=doorbell.ring)
    replica = make_replica(settings, traces)
    engines = _make(settings, shared, doorbell, Reads(shared.database, replica))
    if replica is not None:
        replica.start()
    try:
        yield engines
    finally:
        await close_soon("cache", engines.cache.close())  # it may be at the database
        await asyncio.gather(
            close_soon("mongo", engines.mongo.close() if engines.mongo else None),
            close_soon("doorbell", asyncio.to_thread(doorbell.close)),
            close_soon("redis", engines.redis.aclose()),
            close_soon("limiter", engines.limiter.close()),
            close_soon("replica", replica.close() if replica else None),
            close_soon("traces", asyncio.to_thread(traces.close) if traces else None),
            shared.close(),
        )


def _make(settings: Settings, shared: Shared, doorbell: Doorbell, reads: Reads) -> Engines:
    redis_url = settings.redis_url.get_secret_value()
    mongo_url = settings.mongo_url.get_secret_value()
    return Engines(
        settings=settings,
        database=shared.database,
        reads=reads,
        doorbell=doorbell,
        redis=make_redis(redis_url),
        mongo=Mongo(mongo_url) if mongo_url else None,
        limiter=Limiter(
            make_patient_redis(redis_url),
            enabled=settings.rate_limits == "on",
            production=settings.production,
        ),
        store=shared.store,
        rings=shared.rings,
        cache=Cache(shared.store, reads, enabled=settings.cache == "on"),
        storage=Storage(settings.storage_url),
        pictures=Pictures(),
    )
