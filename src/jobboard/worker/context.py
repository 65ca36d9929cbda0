"""What the worker's handlers work with."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from jobboard.infra.mailer import Mailer, make_mailer
from jobboard.infra.mongo import Mongo
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Doorbell
from jobboard.infra.shared import Shared
from jobboard.infra.storage import Storage
from jobboard.infra.traces import Traces
from jobboard.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The clients of one worker process."""

    settings: Settings
    database: Database
    mailer: Mailer
    storage: Storage
    mongo: Mongo | None = None
    traces: Traces | None = None


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncGenerator[Context]:
    """Make the clients in the running loop; close them at the end."""
    doorbell = Doorbell(settings.broker)
    traces = Traces.make(settings, "jobboard-worker")
    shared = Shared.make(settings, traces, ring=doorbell.ring, pool_size=3)
    mongo_url = settings.mongo_url.get_secret_value()
    mongo = Mongo(mongo_url) if mongo_url else None
    storage = Storage(settings.storage_url)
    try:
        yield Context(settings, shared.database, make_mailer(settings), storage, mongo, traces)
    finally:
        if mongo is not None:
            await mongo.close()
        await shared.close()
        if traces is not None:
            traces.close()
        doorbell.close()
