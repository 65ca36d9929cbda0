"""What the worker's handlers work with."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from jobboard.infra.mailer import Mailer, make_mailer
from jobboard.infra.mongo import Mongo
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Doorbell
from jobboard.infra.redis import make_patient_redis
from jobboard.infra.rings import Rings
from jobboard.infra.storage import Storage
from jobboard.infra.store import Store
from jobboard.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The clients of one worker process."""

    settings: Settings
    database: Database
    mailer: Mailer
    storage: Storage
    mongo: Mongo | None = None


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncGenerator[Context]:
    """Make the clients in the running loop; close them at the end."""
    redis_url = settings.redis_url.get_secret_value()
    doorbell = Doorbell(redis_url)
    store = Store(make_patient_redis(redis_url), settings.secret_key.get_secret_value())
    rings = Rings(make_patient_redis(redis_url))
    database = Database(
        settings.database_url.get_secret_value(),
        ring=doorbell.ring,
        forget=store.forget,
        tell=rings.ring,
        pool_size=3,
    )
    mongo_url = settings.mongo_url.get_secret_value()
    mongo = Mongo(mongo_url) if mongo_url else None
    storage = Storage(settings.storage_url)
    try:
        yield Context(settings, database, make_mailer(settings), storage, mongo)
    finally:
        if mongo is not None:
            await mongo.close()
        await database.close()
        await store.close()
        await rings.close()
        doorbell.close()
