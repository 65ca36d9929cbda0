"""A log in memory, written to MongoDB in batches, never waited for.

At any time received = stored + known + dropped + buffered. While MongoDB is gone entries wait in a
bounded buffer; what no longer fits is dropped and counted. Indexes are built beside the writing,
which does not wait for them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from time import perf_counter
from typing import Any, Protocol

import bson
import pymongo
import structlog
from bson import ObjectId
from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from jobboard.infra.mongo import CONNECT_MS

CAPACITY = 50_000
BATCH = 1_000
GATHER_SECONDS = 1.0
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between tries while MongoDB does not answer
DRAIN_SECONDS = 2.5
LAST_TRY_SECONDS = 0.1
MARGIN_SECONDS = 0.2  # for what ends by itself to do so
DUPLICATE_KEY = 11000
INDEX_SECONDS = 3_600  # that an index of a large collection may take
INDEX_EXISTS = {85, 86}  # the same index with other options, or another name
log = structlog.get_logger()

Collection = AsyncCollection[dict[str, Any]]


class Entry(Protocol):
    """One thing that happened: a NamedTuple with the time at which it did."""

    @property
    def at(self) -> datetime:
        """When, in UTC."""
        ...

    def _asdict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where entries are stored. MongoDB deletes them `ttl_days` after their `at`."""

    collection: Collection
    ttl_days: int
    indexes: Sequence[IndexModel] = ()
    # Called with each batch before it is stored, and again with each further try.
    before: Callable[[Sequence[dict[str, Any]]], Awaitable[None]] | None = None


class Recorder:
    """The buffer, and the one task that empties it."""

    def __init__(self, name: str, capacity: int = CAPACITY) -> None:
        self.name = name
        self.received = self.stored = self.dropped = 0
        self.known = 0  # not stored, as MongoDB had an entry of this id
        self._capacity = capacity
        self._waiting: deque[Entry] = deque()
        self._batch: list[dict[str, Any]] = []  # taken out of `_waiting`, not yet stored
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = asyncio.Event()
        self._until = 0.0  # when draining ends, by perf_counter
        self._shelf: Shelf | None = None
        self._unindexed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def buffered(self) -> int:
        """Hits that are neither stored nor dropped yet."""
        return len(self._waiting) + len(self._batch)

    @property
    def indexed(self) -> bool:
        """Whether every index was there when it was last looked."""
        return not self._unindexed.is_set()

    def record(self, entry: Entry) -> None:
        """Keep an entry for the next batch. Never waits, never fails."""
        self.received += 1
        if self._shelf is None or self.buffered >= self._capacity:
            self.dropped += 1
            return
        self._waiting.append(entry)
        self._some.set()
        if len(self._waiting) >= BATCH:
            self._full.set()

    def start(self, shelf: Shelf) -> None:
        """Begin to write."""
        self._shelf = shelf
        self._closing.clear()
        self._unindexed.set()
        self._tasks = [
            asyncio.create_task(self._write_until_closed(), name=self.name),
            asyncio.create_task(self._index(), name=f"{self.name} indexes"),
        ]

    async def close(self) -> None:
        """Write what is left, for DRAIN_SECONDS at most; the rest is dropped."""
        if not self._tasks:
            return
        writing, indexing = self._tasks
        self._until = perf_counter() + DRAIN_SECONDS
        for event in (self._closing, self._some, self._full, self._unindexed):
            event.set()
        await asyncio.gather(_end(writing, DRAIN_SECONDS), _end(indexing, CONNECT_MS / 1_000))
        if self.buffered:
            log.warning("recorder.lost_at_shutdown", recorder=self.name, entries=self.buffered)
        self.dropped += self.buffered
        self._waiting.clear()
        self._batch = []
        self._shelf = None
        self._tasks = []

    async def _write_until_closed(self) -> None:
        failures = 0
        while (self.buffered and perf_counter() < self._until) or not self._closing.is_set():
            if not failures and not self._closing.is_set():
                await self._gather()
            try:
                with self._patience():
                    await self._write_batch(again=bool(failures))
            except Exception as error:  # noqa: BLE001 - the log must survive whatever befalls it
                if not failures:
                    log.warning(
                        "recorder.mongo_silent", recorder=self.name, error=type(error).__name__
                    )
                if isinstance(error, PyMongoError):
                    self._unindexed.set()  # it may come back as another, empty server
                else:
                    self._leave_out_what_bson_refuses()
                await self._pause(failures)
                failures += 1
            else:
                if failures:
                    log.info(
                        "recorder.mongo_answers",
                        recorder=self.name,
                        waiting=self.buffered,
                        dropped=self.dropped,
                    )
                failures = 0

    def _patience(self) -> AbstractContextManager[object]:
        """At the end a batch may take what is left; before, what the client allows."""
        if not self._closing.is_set():
            return nullcontext()
        return pymongo.timeout(max(self._until - perf_counter(), LAST_TRY_SECONDS))

    async def _gather(self) -> None:
        """Wait for an entry, then until a batch is full or a second is over."""
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

    async def _write_batch(self, *, again: bool) -> None:
        """Store one batch. On an error it is kept, with its ids, for the next try: what is known
        then was most likely stored by the one before, whose answer got lost."""
        assert self._shelf is not None
        if not self._batch:
            self._batch = self._take()
        lost = known = 0
        if self._batch:
            if self._shelf.before is not None:
                await self._shelf.before(self._batch)
            try:
                await self._shelf.collection.insert_many(self._batch, ordered=False)
            except BulkWriteError as error:
                known, lost = refused(error)
                known = 0 if again else known
        self.stored += len(self._batch) - known - lost
        self.known += known
        self.dropped += lost
        self._batch = []

    def _take(self) -> list[dict[str, Any]]:
        entries = list(islice(self._waiting, BATCH))
        for _ in entries:
            self._waiting.popleft()
        if not self._waiting:
            self._some.clear()
        if len(self._waiting) < BATCH:
            self._full.clear()
        return [_document(entry) for entry in entries]

    def _leave_out_what_bson_refuses(self) -> None:
        """Such an entry can never be stored, and the others must not wait for it."""
        fine = [document for document in self._batch if _can_be_stored(document)]
        self.dropped += len(self._batch) - len(fine)
        self._batch = fine

    async def _index(self) -> None:
        """The life of an entry, and the ways to it, whenever they may be missing."""
        while await self._unindexed.wait() and not self._closing.is_set():
            try:
                with pymongo.timeout(INDEX_SECONDS):
                    await self._ensure_indexes()
                self._unindexed.clear()
            except Exception as error:  # noqa: BLE001 - later it may go well
                log.warning("recorder.not_indexed", recorder=self.name, error=type(error).__name__)
                await self._pause(len(PAUSES))

    async def _ensure_indexes(self) -> None:
        assert self._shelf is not None
        collection = self._shelf.collection
        await keep_for(collection, days=self._shelf.ttl_days)
        if self._shelf.indexes:
            await collection.create_indexes(list(self._shelf.indexes))


async def _end(task: asyncio.Task[None], seconds: float) -> None:
    """Wait for a task, and cancel it when the time is over.

    MongoDB goes on with what it has begun. PyMongo may swallow a cancellation that comes while it
    looks for a server (`asyncio.wait_for` of Python 3.11 does); so this is the last resort, and
    repeated.
    """
    await asyncio.wait([task], timeout=seconds + MARGIN_SECONDS)
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=MARGIN_SECONDS)


async def keep_for(collection: Collection, *, days: int) -> None:
    """Let MongoDB delete documents this many days after their `at`. The index serves times, too."""
    seconds = days * 86_400
    try:
        await collection.create_index("at", name="at_ttl", expireAfterSeconds=seconds)
    except OperationFailure as error:
        if error.code not in INDEX_EXISTS:
            raise
        # The setting has changed. The index stays: to build it anew may take long.
        changed = {"name": "at_ttl", "expireAfterSeconds": seconds}
        await collection.database.command("collMod", collection.name, index=changed)


def _can_be_stored(document: dict[str, Any]) -> bool:
    try:
        bson.encode(document)
    except Exception:  # noqa: BLE001 - whatever it is, it would be the same each time
        return False
    return True


def _document(entry: Entry) -> dict[str, Any]:
    """With an id of our own, or the entry's: a batch that was stored although the answer got lost
    is not stored twice."""
    fields = entry._asdict()
    return {"_id": fields.pop("id", None) or ObjectId(), **fields}


def refused(error: BulkWriteError) -> tuple[int, int]:
    """How many documents of a batch MongoDB has already, and how many it will never take."""
    failures = (error.details or {}).get("writeErrors", [])
    known = sum(failure.get("code") == DUPLICATE_KEY for failure in failures)
    return known, len(failures) - known
