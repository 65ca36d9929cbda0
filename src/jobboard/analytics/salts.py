"""The secret of a day, with which visitors are told apart on that day and never again.

It is random, the same for all processes of the board, and gone when its day is over: Redis deletes
it. Nothing else leads to it, so that afterwards nobody can work out from an address what came from
there, not even with the board's other secrets.
"""

import asyncio
import secrets
from datetime import date, datetime, time, timedelta
from time import monotonic

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobboard.clock import now

KEY = "visitors:salt:{}"
BYTES = 32
ANSWER_SECONDS = 0.5
REST_SECONDS = 60.0  # without Redis, until it is asked again
log = structlog.get_logger()


class Salts:
    """Knows today's. Never fails: without Redis it is one of this process alone."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._lock = asyncio.Lock()
        self._day: date | None = None
        self._salt = b""
        self._ask_again = 0.0  # on the monotonic clock; 0 where the salt is everybody's

    async def today(self) -> tuple[date, bytes]:
        """The day, in UTC, and its secret. Waits for Redis once a day, for half a second at most;
        while it is gone once a minute."""
        if self._stale():
            async with self._lock:
                if self._stale():
                    await self._ask(now())
        assert self._day is not None
        return self._day, self._salt

    def _stale(self) -> bool:
        late = bool(self._ask_again) and monotonic() >= self._ask_again
        return late or self._day != now().date()

    async def _ask(self, at: datetime) -> None:
        day = at.date()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                salt = await self._shared(day)
        except (OSError, TimeoutError, RedisError) as error:
            log.warning("salts.redis_silent", error=type(error).__name__)
            salt = self._salt if day == self._day else secrets.token_bytes(BYTES)
            self._ask_again = monotonic() + REST_SECONDS
        else:
            self._ask_again = 0.0
        self._day, self._salt = day, salt

    async def _shared(self, day: date) -> bytes:
        """The first process that asks decides what it is."""
        key = KEY.format(day.isoformat())
        end = datetime.combine(day + timedelta(days=1), time(), now().tzinfo)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, secrets.token_bytes(BYTES), nx=True, exat=end)
            pipe.get(key)
            _, salt = await pipe.execute()
        return salt or secrets.token_bytes(BYTES)  # asked at midnight: it is over already
