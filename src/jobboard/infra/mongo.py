"""MongoDB, for what is analysed and may be lost: one client with short timeouts."""

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

DEFAULT_DATABASE = "jobboard"
CONNECT_MS = 1_000
ANSWER_MS = 2_000


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
        self.database: AsyncDatabase[dict[str, Any]] = self._client.get_default_database(
            DEFAULT_DATABASE
        )

    async def ping(self) -> None:
        """Raise if the server does not answer."""
        await self._client.admin.command("ping")

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()
