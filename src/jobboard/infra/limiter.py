"""Rate limits: moving windows in Redis, shared by all processes.

While Redis is gone or stalls, general limits are open, and what guards passwords is counted by
each process for itself.
"""

import hashlib
import math

from limits import RateLimitItem, parse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobboard.errors import RateLimited
from jobboard.infra.rates import CLASSES, RateClass
from jobboard.infra.silence import Silence
from jobboard.infra.windows import LocalWindows, SharedWindows, Standing, Taken, Window

# By person and address, by person, and by address alone.
LOGIN = "10/5minutes"
REMINDERS = "5/day"
ADDRESS_LOGIN = "100/5minutes"
ADDRESS_SIGN_UP = "60/hour"
ADDRESS_REPORT = "60/hour"  # by nobody
DEVELOPMENT = 10  # times as much from one address, where scripts of one's own try things out


class Limiter:
    """Counts tries. `enabled=False` lets everything pass; addresses are strict in production."""

    def __init__(self, redis: Redis, *, enabled: bool = True, production: bool = False) -> None:
        self.enabled = enabled
        self.rates = {each: _rate(each, production=production) for each in CLASSES}
        self._times = 1 if production else DEVELOPMENT
        self._shared = SharedWindows(redis)
        self._local = LocalWindows()
        self._silence = Silence("limiter.redis", (RedisError, OSError))

    async def count(self, rate_class: RateClass, caller: str) -> tuple[bool, Standing] | None:
        """Count a request: whether it may go on, and what is left. None where nothing is limited.

        `caller` says who asks: a person, a key or an address. One round trip to Redis.
        """
        if not self.enabled:
            return None
        window = _window(rate_class.name, self.rates[rate_class], caller)
        taken = await self._ask_redis(window)
        if taken is None:
            if not rate_class.strict:
                return None
            taken = self._local.take(window)
        return taken.allowed, taken.standings[0]

    async def hit(self, name: str, rate: str, *key: str) -> None:
        """Count a try of `name` for `key`. Raises RateLimited above `rate`, as `10/5minutes`."""
        await self._hit(_window(name, parse(rate), *key))

    async def hit_login(self, email: str, address: str) -> None:
        """Count a try to log in, by person and address, so that nobody locks out another."""
        await self._hit(
            self._of_address("login-address", ADDRESS_LOGIN, address),
            _window("login", parse(LOGIN), email.strip().lower(), address),
        )

    async def hit_sign_up(self, address: str) -> None:
        """Count a sign-up."""
        await self._hit(self._of_address("sign-up", ADDRESS_SIGN_UP, address))

    async def hit_report(self, address: str) -> None:
        """Count a report of a job by someone without an account."""
        await self._hit(self._of_address("report", ADDRESS_REPORT, address))

    async def may_remind(self, email: str) -> bool:
        """Whether the owner of this address may be told once more that they have an account."""
        try:
            await self.hit("remind", REMINDERS, email.strip().lower())
        except RateLimited:
            return False
        return True

    async def close(self) -> None:
        """Hang up."""
        await self._shared.close()

    def _of_address(self, name: str, rate: str, address: str) -> Window:
        amount, _, span = rate.partition("/")
        return _window(name, parse(f"{int(amount) * self._times}/{span}"), address)

    async def _hit(self, *windows: Window) -> None:
        if not self.enabled:
            return
        taken = await self._ask_redis(*windows) or self._local.take(*windows)
        if not taken.allowed:
            full = [
                pair for pair in zip(windows, taken.standings, strict=True) if not pair[1].remaining
            ]
            window, standing = max(full, key=lambda pair: pair[1].seconds)
            limit = (window.name, window.item.amount, window.item.get_expiry())
            raise RateLimited(retry_after=whole_seconds(standing.seconds), limit=limit)

    async def _ask_redis(self, *windows: Window) -> Taken | None:
        """What Redis says, or None when it does not. A silent one is left alone for a while."""
        return await self._silence.ask(self._shared.take, *windows)


def whole_seconds(seconds: float) -> int:
    """Seconds to wait, never too few."""
    return max(1, math.ceil(seconds))


def _rate(rate_class: RateClass, *, production: bool) -> RateLimitItem:
    item = parse(rate_class.rate)
    return item if production else type(item)(item.amount * rate_class.generous, item.multiples)


def _window(name: str, item: RateLimitItem, *key: str) -> Window:
    # Hashed: keys hold what people typed, of any length, and Redis need not know it.
    digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:32]
    return Window(item, f"{name}:{item.amount}:{item.get_expiry()}:{digest}")
