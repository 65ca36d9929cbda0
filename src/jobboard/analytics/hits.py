"""The log of API hits: gathered in memory, written to MongoDB in batches, never waited for.

At any time received = stored + dropped + buffered. While MongoDB is gone hits wait in a bounded
buffer; what no longer fits is dropped and counted. Times are UTC, addresses are truncated.
"""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Any, NamedTuple

import structlog
from bson import ObjectId
from pymongo import ASCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, OperationFailure

COLLECTION = "hits"
CAPACITY = 50_000
BATCH = 1_000
GATHER_SECONDS = 1.0
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between tries while MongoDB does not answer
DRAIN_SECONDS = 2.5
DUPLICATE_KEY = 11000
INDEX_EXISTS = {85, 86}  # the same index with other options, or another name
log = structlog.get_logger()

Hits = AsyncCollection[dict[str, Any]]


class Hit(NamedTuple):
    """One request to the API, as it is stored."""

    at: datetime
    route: str
    method: str
    status: int
    ms: float
    bytes: int
    person_id: str | None
    key_id: str | None
    address: str
    request_id: str


class HitRecorder:
    """The buffer, and the one task that empties it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.received = self.stored = self.dropped = 0
        self._capacity = capacity
        self._waiting: deque[Hit] = deque()
        self._batch: list[dict[str, Any]] = []  # taken out of `_waiting`, not yet stored
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = asyncio.Event()
        self._collection: Hits | None = None
        self._ttl_days = 0
        self._indexed = False
        self._task: asyncio.Task[None] | None = None

    @property
    def buffered(self) -> int:
        """Hits that are neither stored nor dropped yet."""
        return len(self._waiting) + len(self._batch)

    def record(self, hit: Hit) -> None:
        """Keep a hit for the next batch. Never waits, never fails."""
        self.received += 1
        if self._collection is None or self.buffered >= self._capacity:
            self.dropped += 1
            return
        self._waiting.append(hit)
        self._some.set()
        if len(self._waiting) >= BATCH:
            self._full.set()

    def start(self, collection: Hits, *, ttl_days: int) -> None:
        """Begin to write to `collection`, whose documents MongoDB deletes after `ttl_days`."""
        self._collection = collection
        self._ttl_days = ttl_days
        self._closing.clear()
        self._task = asyncio.create_task(self._write_until_closed(), name="hits")

    async def close(self) -> None:
        """Write what is left, for DRAIN_SECONDS at most; the rest is dropped."""
        if self._task is None:
            return
        self._closing.set()
        self._some.set()
        self._full.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._task  # cancelled by the timeout, not before: a batch may be under way
        if self.buffered:
            log.warning("hits.lost_at_shutdown", hits=self.buffered)
        self.dropped += self.buffered
        self._waiting.clear()
        self._batch = []
        self._collection = self._task = None

    async def _write_until_closed(self) -> None:
        failures = 0
        while self.buffered or not self._closing.is_set():
            if not failures and not self._closing.is_set():
                await self._gather()
            try:
                await self._ensure_indexes()
                await self._write_batch()
            except Exception as error:  # noqa: BLE001 - the log must survive whatever befalls it
                if not failures:
                    log.warning("hits.mongo_silent", error=type(error).__name__)
                self._indexed = False  # it may come back as another, empty server
                await self._pause(failures)
                failures += 1
            else:
                if failures:
                    log.info("hits.mongo_answers", waiting=self.buffered, dropped=self.dropped)
                failures = 0

    async def _gather(self) -> None:
        """Wait for a hit, then until a batch is full or a second is over."""
        await self._some.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                await self._full.wait()

    async def _pause(self, failures: int) -> None:
        """Wait before the next try, longer each time, but not when the end has come."""
        if self._closing.is_set():
            await asyncio.sleep(PAUSES[0])
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSES[min(failures, len(PAUSES) - 1)]):
                await self._closing.wait()

    async def _write_batch(self) -> None:
        """Store one batch. On an error it is kept, with its ids, for the next try."""
        assert self._collection is not None
        if not self._batch:
            self._batch = self._take()
        refused = 0
        if self._batch:
            try:
                await self._collection.insert_many(self._batch, ordered=False)
            except BulkWriteError as error:
                refused = _refused(error)
        self.stored += len(self._batch) - refused
        self.dropped += refused
        self._batch = []

    def _take(self) -> list[dict[str, Any]]:
        hits = list(islice(self._waiting, BATCH))
        for _ in hits:
            self._waiting.popleft()
        if not self._waiting:
            self._some.clear()
        if len(self._waiting) < BATCH:
            self._full.clear()
        # Ids of our own: a batch that was stored although the answer got lost is not stored twice.
        return [{"_id": ObjectId(), **hit._asdict()} for hit in hits]

    async def _ensure_indexes(self) -> None:
        """The life of a hit, and the way to those of one route. In the background of requests."""
        if self._indexed or self._collection is None:
            return
        seconds = self._ttl_days * 86_400
        try:
            await self._collection.create_index("at", name="at_ttl", expireAfterSeconds=seconds)
            await self._collection.create_index([("route", ASCENDING), ("at", ASCENDING)])
        except OperationFailure as error:
            if error.code not in INDEX_EXISTS:
                raise
            await self._collection.drop_index("at_ttl")  # the setting has changed
            await self._collection.create_index("at", name="at_ttl", expireAfterSeconds=seconds)
        self._indexed = True


def _refused(error: BulkWriteError) -> int:
    """How many documents of a batch MongoDB will never take. Duplicates are stored already."""
    failures = (error.details or {}).get("writeErrors", [])
    return sum(failure.get("code") != DUPLICATE_KEY for failure in failures)


@lru_cache(maxsize=4096)
def truncated(address: str) -> str:
    """The network of an address, /24 for IPv4 and /48 for IPv6; `` for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ip_network((mapped, 24 if mapped.version == 4 else 48), strict=False))
