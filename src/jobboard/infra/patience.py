"""A timeout that tells a silent server from a loop of ours that stood still."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

GRACE = 0.1  # seconds, for the loop to read what lies there
LATE = 0.02  # an alarm that is later than this says that the loop stands still at times
LONGEST = 10  # times the wanted timeout, in a loop that never comes to rest


class Patience:
    """Bounds waiting for one server. `give_up()` ends the wait of all who wait for it now."""

    def __init__(self) -> None:
        self._waits: set[_Wait] = set()

    @asynccontextmanager
    async def bound(self, seconds: float) -> AsyncGenerator[None]:
        """Raise TimeoutError after `seconds`.

        When our own loop was busy for that long, the answer may lie unread in the socket. So the
        first alarm, and each that comes late, only lets the loop turn on for a moment.
        """
        async with asyncio.timeout(None) as timeout:
            wait = _Wait(timeout, seconds)
            self._waits.add(wait)
            try:
                yield
            finally:
                self._waits.discard(wait)
                wait.alarm.cancel()

    def give_up(self) -> None:
        """What one has learnt the hard way, the others need not wait for."""
        for wait in self._waits:
            wait.end()


class _Wait:
    def __init__(self, timeout: asyncio.Timeout, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._latest = monotonic() + seconds * LONGEST
        self._first = True
        self._set(seconds)

    def _set(self, seconds: float) -> None:
        self._due = monotonic() + seconds
        self.alarm = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        now = monotonic()
        if (self._first or now > self._due + LATE) and now < self._latest:
            self._first = False
            self._set(GRACE)
        else:
            self.end()

    def end(self) -> None:
        if not self._timeout.expired():
            self._timeout.reschedule(self._loop.time())
