"""The servers that a process talks to, made together and closed together."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from jobboard.infra.limiter import Limiter
from jobboard.infra.mongo import Mongo
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Doorbell
from jobboard.infra.redis import make_redis
from jobboard.infra.storage import Storage
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
    storage: Storage


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncGenerator[Engines]:
    """Make every client, in the running loop; close them in reverse, each within a bound.

    Nothing is dialled here: a server that is gone at start-up may come back later.
    """
    async with AsyncExitStack() as stack:

        def closing(name: str, close: Callable[[], Awaitable[None]]) -> None:
            stack.push_async_callback(_close, name, close)

        redis = make_redis(settings.redis_url.get_secret_value())
        closing("redis", redis.aclose)
        doorbell = Doorbell(settings.redis_url.get_secret_value())
        closing("doorbell", lambda: asyncio.to_thread(doorbell.close))
        database = Database(settings.database_url.get_secret_value(), ring=doorbell.ring)
        closing("postgres", database.close)
        mongo_url = settings.mongo_url.get_secret_value()
        mongo = Mongo(mongo_url) if mongo_url else None
        if mongo is not None:
            closing("mongo", mongo.close)
        yield Engines(
            settings=settings,
            database=database,
            doorbell=doorbell,
            redis=redis,
            mongo=mongo,
            limiter=Limiter(redis, enabled=settings.rate_limits == "on"),
            storage=Storage(settings.storage_url),
        )


async def _close(name: str, close: Callable[[], Awaitable[None]]) -> None:
    """Close one client. A server that hangs must not keep the process from ending."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await close()
    except Exception as error:  # noqa: BLE001 - whatever it was, the others must still be closed
        log.warning("engine.close_failed", engine=name, error=type(error).__name__)
