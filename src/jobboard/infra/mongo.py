"""MongoDB, for what is analysed and may be lost: one client with short timeouts."""

import asyncio
import linecache
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pymongo
import structlog
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, PyMongoError

from jobboard.errors import Unavailable
from jobboard.infra.silence import Silence

DEFAULT_DATABASE = "jobboard"
CONNECT_MS = 1_000
ANSWER_MS = 2_000
LOOK_SECONDS = 2  # for a server, before it is asked a question
QUESTION_SECONDS = 10  # for a question that somebody waits for
SILENT = (
    "The numbers cannot be read now: their database does not answer. Nothing else depends on it."
)
UNSET = "This board keeps no numbers: its JOBBOARD_MONGO_URL is not set."
log = structlog.get_logger()


class Mongo:
    """One client and the database that its URL names."""

    def __init__(self, url: str) -> None:
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            url,
            appname="jobboard",
            tz_aware=True,
            maxPoolSize=4,
            serverSelectionTimeoutMS=CONNECT_MS,
            connectTimeoutMS=CONNECT_MS,
            timeoutMS=ANSWER_MS,
        )
        self._asked: asyncio.Future[Any] | None = None
        self._silence = Silence("mongo.server", (PyMongoError,))
        # The client keeps its call stack in words, and with it two megabytes of source would stay.
        linecache.clearcache()
        self.database: AsyncDatabase[dict[str, Any]] = self._client.get_default_database(
            DEFAULT_DATABASE
        )

    async def ping(self) -> None:
        """Raise if the server does not answer.

        Who cancels this leaves it to end by itself, in ANSWER_MS at most: PyMongo cancelled while
        it looks for a server may hold its lock for ever (seen with Python 3.11).
        """
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(self._client.admin.command("ping"))
            self._asked.add_done_callback(_look_at)
        await asyncio.shield(self._asked)

    async def is_there(self, seconds: float = LOOK_SECONDS) -> bool:
        """Whether there is a server to ask: known without waiting while it answers.

        Otherwise one looks, for `seconds` at most, and after that nobody for a while.
        """
        if self._client.topology_description.has_readable_server():
            return True
        with pymongo.timeout(seconds):
            return await self._silence.ask(self._look) is not None

    async def _look(self) -> bool:
        await self.ping()
        return True

    async def close(self) -> None:
        """Close every connection."""
        if self._asked is not None:
            await asyncio.wait([self._asked])
        await self._client.close()


def _look_at(asked: asyncio.Future[Any]) -> None:
    """So that nothing warns of an error that nobody waited for."""
    if not asked.cancelled():
        asked.exception()


@asynccontextmanager
async def asking(
    mongo: Mongo | None, seconds: float = QUESTION_SECONDS
) -> AsyncGenerator[AsyncDatabase[dict[str, Any]]]:
    """The database for questions that somebody waits for, `seconds` at most.

    Raises Unavailable where there is none, or when it does not answer: in LOOK_SECONDS at most
    where it is gone already, for the time of a question is for its answer, not to find a server.
    """
    if mongo is None:
        raise Unavailable(UNSET)
    if not await mongo.is_there(min(seconds, LOOK_SECONDS)):
        raise Unavailable(SILENT)
    try:
        with pymongo.timeout(seconds):
            yield mongo.database
    except PyMongoError as error:
        if not (error.timeout or isinstance(error, ConnectionFailure)):
            raise
        log.warning("mongo.silent", error=type(error).__name__)
        raise Unavailable(SILENT) from None
