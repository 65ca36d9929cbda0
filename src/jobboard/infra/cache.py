"""What the database answers everybody alike, asked once for all who ask at the same time.

`get` gives the answer that is kept (`store.py`), or asks the database: once in this process, and
once in all processes, however many want it. An answer that is not fresh any more is given at once,
and asked for anew in the background. Without Redis each request asks the database.

Only for what is the same for everybody: no key names a person, and nothing that depends on one may
be loaded here. Loading happens in a transaction of its own, because it may outlive the request that
began it. So nobody who waits here may hold a connection: with enough of them none would be left for
the one who loads. Doors ask the cache first, and who it is afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.infra.replica import Marks, Reads
from jobboard.infra.store import KEPT, LEASE, Found, Store

LOOK_EVERY = 0.02  # seconds, while another process asks the database
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database said; not to be given after `until`."""

    body: bytes
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the key says all that changes the answer, the tags which changes do."""

    key: str
    tags: tuple[str, ...]
    load: Callable[[AsyncSession], Awaitable[Answer]]


@dataclass(slots=True)
class Counts:
    """How questions were answered: each in one of these ways."""

    hits: int = 0
    stale: int = 0  # given although not fresh any more
    shared: int = 0  # waited for what another request had begun to ask
    misses: int = 0
    bypassed: int = 0  # Redis was silent, or the cache is off


class Cache:
    """One for each web process. `enabled=False` asks the database every time."""

    def __init__(self, store: Store, reads: Reads, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.counts = Counts()
        self._store = store
        self._reads = reads
        self._flights: dict[tuple[str, Marks], asyncio.Task[bytes]] = {}
        self._refreshing: dict[str, asyncio.Task[bytes]] = {}

    async def get(self, question: Question, *, fresh: bool = False) -> bytes:
        """The answer. Raises whatever `question.load` raises, which is not kept.

        What is kept, or will be, knows every change. Where nothing can be kept, `fresh` says that
        the answer must all the same: a replica of the database may be a moment late.
        """
        found = await self._store.look(question.key, question.tags) if self.enabled else None
        if found is None:
            self.counts.bypassed += 1
            return (await self._reads.ask(question.load, fresh=fresh)).body
        if found.body is None:
            return await self._share(question, found.marks)
        if found.stale:
            self.counts.stale += 1
            self._refresh(question, found.marks)
        else:
            self.counts.hits += 1
        return found.body

    async def close(self) -> None:
        """Give up what is asked for in the background."""
        tasks = [*self._flights.values(), *self._refreshing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _share(self, question: Question, marks: Marks) -> bytes:
        """Ask, or wait for who does. With other marks something has changed since they began."""
        flight = (question.key, marks)
        task = self._flights.get(flight)
        if task is None:
            self.counts.misses += 1
            task = _begin(self._flights, flight, self._ask(question))
        else:
            self.counts.shared += 1
        return await asyncio.shield(task)  # who leaves does not take the answer from the others

    def _refresh(self, question: Question, marks: Marks) -> None:
        if question.key not in self._refreshing:
            renewal = self._renew(question, marks)
            _begin(self._refreshing, question.key, renewal).add_done_callback(_note)

    async def _ask(self, question: Question) -> bytes:
        """Of all processes one asks the database; the others wait for what it keeps."""
        owner = token_hex(8)
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE):
                while not await self._store.take_lease(question.key, owner):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(LOOK_EVERY)
        try:
            # Whoever had the lease before us may have kept the answer.
            found = await self._store.look(question.key, question.tags) or Found(())
            return found.body or await self._keep(question, found.marks)
        finally:
            await self._store.end_lease(question.key, owner)

    async def _renew(self, question: Question, marks: Marks) -> bytes:
        owner = token_hex(8)
        if not await self._store.take_lease(question.key, owner):
            return b""  # another process does it
        try:
            return await self._keep(question, marks)
        finally:
            await self._store.end_lease(question.key, owner)

    async def _keep(self, question: Question, marks: Marks) -> bytes:
        answer = await self._reads.ask(question.load, marks=marks)
        if marks:
            await self._store.keep(question.key, marks, answer.body, _seconds(answer))
        return answer.body


def _seconds(answer: Answer) -> float:
    return (answer.until - now()).total_seconds() if answer.until else KEPT


def _begin(
    tasks: dict[Any, asyncio.Task[bytes]], key: Any, work: Coroutine[Any, Any, bytes]
) -> asyncio.Task[bytes]:
    """A task that stands in `tasks` until it is done."""
    task = tasks[key] = asyncio.create_task(work)
    task.add_done_callback(partial(_end, tasks, key))
    return task


def _end(tasks: dict[Any, asyncio.Task[bytes]], key: Any, task: asyncio.Task[bytes]) -> None:
    del tasks[key]
    if not task.cancelled():
        task.exception()  # everybody who waited has it; perhaps nobody did


def _note(task: asyncio.Task[bytes]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("cache.not_renewed", error=type(error).__name__)
