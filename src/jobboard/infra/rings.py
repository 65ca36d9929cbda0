"""Rings between the processes of a board: "there is something new for this one".

A ring says for whom, never what: what it is stands in PostgreSQL, and whoever hears the ring looks
there. So a ring may be lost, come twice or come late, and Redis learns of nobody's news. Who lost
some, because Redis was gone, hears None when it is back, and looks for everybody.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from jobboard.infra.line import Line
from jobboard.infra.postgres import RUNG
from jobboard.infra.silence import Silence

CHANNEL = "rings:{}"  # of a database: channels themselves are the whole server's
MODERATION = "moderation"  # rung when the queue of the moderators grows or shrinks
AT_ONCE = 500  # names in one ring
PAUSE = 1.0  # seconds before we listen again to a Redis that was gone
FAILURES = (RedisError, OSError)


def ring_for(session: AsyncSession | Session, *names: str) -> None:
    """Ring when this transaction has committed."""
    session.info.setdefault(RUNG, set()).update(names)


class Rings:
    """Rings and listens. Never raises because of Redis, and rings wait for it half a second."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._line = Line(redis)
        number = redis.connection_pool.connection_kwargs.get("db", 0)
        self._channel = CHANNEL.format(number)
        self._silence = Silence("rings.redis", FAILURES)

    async def ring(self, names: Collection[str]) -> None:
        """Tell all processes that there is something for these."""
        await self._silence.ask(self._ring, names)

    async def _ring(self, names: Collection[str]) -> None:
        await asyncio.gather(*map(self._publish, _pieces(names)))

    async def _publish(self, names: list[str]) -> None:
        await self._line.ask("PUBLISH", self._channel, " ".join(names))

    async def listen(self) -> AsyncIterator[list[str] | None]:
        """The names that are rung for, for ever; None whenever rings may have been lost."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
                    await heard.subscribe(self._channel)
                    yield None
                    async for message in heard.listen():
                        yield _names(message)
            except FAILURES:
                await asyncio.sleep(PAUSE)

    async def close(self) -> None:
        """Hang up."""
        await self._line.close()
        await self._redis.aclose()


def _pieces(names: Collection[str]) -> Iterator[list[str]]:
    every = sorted(names)
    for begin in range(0, len(every), AT_ONCE):
        yield every[begin : begin + AT_ONCE]


def _names(message: dict[str, Any]) -> list[str]:
    return message["data"].decode(errors="replace").split(" ")
