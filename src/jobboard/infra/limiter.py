"""Rate limits: a moving window in Redis, shared by all processes.

While Redis is gone or stalls, each process counts for itself: log-in stays limited.
"""

import asyncio
import hashlib
import math
from time import monotonic, time
from typing import Any

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobboard.errors import RateLimited

# By person and address, by person, and by address alone.
LOGIN = "10/5minutes"
REMINDERS = "5/day"
ADDRESS_LOGIN = "100/5minutes"
ADDRESS_SIGN_UP = "60/hour"
ADDRESS_REPORT = "60/hour"  # by nobody
DEVELOPMENT = 10  # times as much from one address, where scripts of one's own try things out
ANSWER_SECONDS = 0.5
REST_SECONDS = 5.0  # how long a silent Redis is not asked again
log = structlog.get_logger()


class Limiter:
    """Counts tries. `enabled=False` lets everything pass; addresses are strict in production."""

    def __init__(self, redis: Redis, *, enabled: bool = True, production: bool = False) -> None:
        self._enabled = enabled
        self._times = 1 if production else DEVELOPMENT
        # The storage wants a URL for its scheme only: it works on our client's connections.
        options: dict[str, Any] = {"connection_pool": redis.connection_pool}
        shared = RedisStorage("redis://", implementation="redispy", **options)
        self._shared = MovingWindowRateLimiter(shared)
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._rests_until = 0.0

    async def hit(self, name: str, rate: str, *key: str) -> None:
        """Count a try of `name` for `key`. Raises RateLimited above `rate`, as `10/5minutes`."""
        if not self._enabled:
            return
        item = parse(rate)
        # Hashed: keys hold what people typed, of any length, and Redis need not know it.
        parts = (name, hashlib.sha256("\0".join(key).encode()).hexdigest()[:32])
        retry_after = await self._try_redis(item, parts)
        if retry_after is None:
            retry_after = await _seconds_to_wait(self._local, item, parts)
        if retry_after:
            raise RateLimited(retry_after=retry_after)

    async def hit_login(self, email: str, address: str) -> None:
        """Count a try to log in, by person and address, so that nobody locks out another."""
        await self._hit_address("login-address", ADDRESS_LOGIN, address)
        await self.hit("login", LOGIN, email.strip().lower(), address)

    async def hit_sign_up(self, address: str) -> None:
        """Count a sign-up."""
        await self._hit_address("sign-up", ADDRESS_SIGN_UP, address)

    async def hit_report(self, address: str) -> None:
        """Count a report of a job by someone without an account."""
        await self._hit_address("report", ADDRESS_REPORT, address)

    async def may_remind(self, email: str) -> bool:
        """Whether the owner of this address may be told once more that they have an account."""
        try:
            await self.hit("remind", REMINDERS, email.strip().lower())
        except RateLimited:
            return False
        return True

    async def _hit_address(self, name: str, rate: str, address: str) -> None:
        amount, _, span = rate.partition("/")
        await self.hit(name, f"{int(amount) * self._times}/{span}", address)

    async def _try_redis(self, item: RateLimitItem, parts: tuple[str, ...]) -> int | None:
        """Seconds to wait, 0 for none, or None when Redis does not say."""
        if monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await _seconds_to_wait(self._shared, item, parts)
        except (RedisError, OSError) as error:
            self._rests_until = monotonic() + REST_SECONDS
            log.warning("limiter.redis_silent", error=type(error).__name__)
            return None


async def _seconds_to_wait(
    limiter: MovingWindowRateLimiter, item: RateLimitItem, parts: tuple[str, ...]
) -> int:
    if await limiter.hit(item, *parts):
        return 0
    stats = await limiter.get_window_stats(item, *parts)
    return max(1, math.ceil(stats.reset_time - time()))
