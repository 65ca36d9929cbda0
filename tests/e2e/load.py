"""Requests at an even rate, whatever becomes of them: who comes does not wait for those before."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp

Ask = Callable[[aiohttp.ClientSession], Coroutine[Any, Any, aiohttp.ClientResponse]]
PATIENCE = 30.0  # seconds that a client waits
NONE = 0  # in the place of a status: no answer
RATE = float(os.environ.get("RATE", "20"))  # requests a second


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: when it was sent, by monotonic(), and how it went."""

    at: float
    seconds: float
    status: int
    says_when: bool  # it has a Retry-After


@dataclass
class Load:
    """What was answered so far."""

    answers: list[Answered] = field(default_factory=list)
    began: float = field(default_factory=monotonic)
    ended: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second that were really sent."""
        return len(self.answers) / ((self.ended or monotonic()) - self.began)

    def statuses(self) -> Counter[int]:
        """How many there were of each."""
        return Counter(each.status for each in self.answers)

    def last_failure(self, since: float) -> float:
        """Seconds from `since` to the sending of the last request that failed; 0: none did."""
        late = [
            each.at for each in self.answers if each.at > since and each.status not in (200, 201)
        ]
        return max(late) - since if late else 0.0

    def figures(self) -> str:
        """What there is to say of it."""
        statuses = ", ".join(f"{number} x {status}" for status, number in self.statuses().items())
        return (
            f"{self.rate:.0f} requests a second, {statuses}; half within {self.within(0.5):.0f} ms,"
            f" 99 of 100 within {self.within(0.99):.0f} ms"
        )

    def within(self, share: float) -> float:
        """Milliseconds that this share of the requests took at most."""
        times = sorted(each.seconds for each in self.answers)
        return times[int(len(times) * share)] * 1000


@asynccontextmanager
async def load(address: str, asks: Sequence[Ask], *, rate: float = RATE) -> AsyncGenerator[Load]:
    """Sends `asks` in turn, `rate` a second, as long as the block lasts; waits for what is left."""
    found = Load()
    under_way: set[asyncio.Task[None]] = set()
    connector = aiohttp.TCPConnector(limit=0)
    patience = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(address, connector=connector, timeout=patience) as client:

        async def ask(how: Ask) -> None:
            began = monotonic()
            try:
                answer = await how(client)
                await answer.read()
                status, says_when = answer.status, "Retry-After" in answer.headers
            except (aiohttp.ClientError, TimeoutError):
                status, says_when = NONE, False
            found.answers.append(Answered(began, monotonic() - began, status, says_when))

        async def send() -> None:
            sent = 0
            while True:
                while sent < (monotonic() - found.began) * rate:
                    task = asyncio.create_task(ask(asks[sent % len(asks)]))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    sent += 1
                await asyncio.sleep(1 / rate)

        sending = asyncio.create_task(send())
        try:
            yield found
        finally:
            sending.cancel()
            found.ended = monotonic()
            await asyncio.gather(sending, *under_way, return_exceptions=True)
