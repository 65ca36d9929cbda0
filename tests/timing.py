"""Time in tests: how that of a call grows with its input, and waiting for what is no event."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import text

from jobboard.analytics.recorder import Recorder
from jobboard.infra.postgres import Database

TRIES = 5


def grows_no_faster_than_length(call: Callable[[int], object], *, length: int) -> bool:
    """Whether ten times the input takes about ten times as long, at `length` characters.

    A quadratic rule takes a hundred times as long, every time; a busy machine now and then
    makes a linear one look like thirty. So the best of a few tries counts.
    """
    return any(
        _seconds(call, length) < 30 * _seconds(call, length // 10) + 0.5 for _ in range(TRIES)
    )


def least_seconds(call: Callable[[], object], *, enough: float) -> float:
    """The least time that a few tries of `call` took; the first below `enough` ends it."""
    least = float("inf")
    for _ in range(TRIES):
        started = time.thread_time()
        call()
        least = min(least, time.thread_time() - started)
        if least < enough:
            break
    return least


def _seconds(call: Callable[[int], object], length: int) -> float:
    started = time.thread_time()
    call(length)
    return time.thread_time() - started


def at_once(asked: Coroutine[Any, Any, Any]) -> Any:
    """The answer of what waits for nothing; fails where it would have to."""
    try:
        asked.send(None)
    except StopIteration as end:
        return end.value
    asked.close()
    return pytest.fail("it waits")


async def until(
    condition: Callable[[], object], seconds: float = 10, *, every: float = 0.01
) -> None:
    """Wait until it holds, looking `every` so many seconds. Raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - counters are no events
            await asyncio.sleep(every)


async def stored(recorder: Recorder) -> None:
    """Wait until it has nothing left to write, which it does at once, not at the second's end.

    Raises TimeoutError after a minute.
    """
    recorder._full.set()
    await until(lambda: not recorder.buffered, 60)


async def waiting_for_locks(db: Database, count: int = 1) -> None:
    """Wait until as many statements wait for a lock. Raises TimeoutError after ten seconds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while True:
            async with db.transaction() as session:
                if (await session.scalar(waiting) or 0) >= count:
                    return
