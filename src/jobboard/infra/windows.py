"""Moving windows: the times of the last tries of each key, in Redis or in this process.

A try counts in several windows at once: in all of them if none is full, else in none.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from time import monotonic

from limits import RateLimitItem
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from jobboard.infra.line import Line

MOST_KEYS = 100_000  # that a process keeps; some 100 bytes each
SWEEP_SECONDS = 10.0

# KEYS: a list of times in ms for each window, the newest first. ARGV: amount and ms of each.
# The clock is that of Redis, one for all machines. Old times are dropped as they are met.
# The answer is one short line, which is cheap to read: 1 or 0 for whether it counts, and for each
# window the tries in it and the ms until its oldest no longer counts.
TAKE = """
local clock = redis.call('time')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local answer, open = {1}, true
for i, key in ipairs(KEYS) do
  local since = now - ARGV[2 * i]
  local oldest = redis.call('lindex', key, -1)
  while oldest and tonumber(oldest) <= since do
    redis.call('rpop', key)
    oldest = redis.call('lindex', key, -1)
  end
  local used = redis.call('llen', key)
  answer[2 * i] = used
  answer[2 * i + 1] = (oldest or now) - since
  open = open and used < tonumber(ARGV[2 * i - 1])
end
if not open then
  answer[1] = 0
  return {ok = table.concat(answer, ' ')}
end
for i, key in ipairs(KEYS) do
  redis.call('lpush', key, now)
  redis.call('pexpire', key, ARGV[2 * i])
  answer[2 * i] = answer[2 * i] + 1
end
return {ok = table.concat(answer, ' ')}
"""
TAKE_SHA = hashlib.sha1(TAKE.encode(), usedforsecurity=False).hexdigest()  # as EVALSHA calls it
PREFIX = "LIMITS"


@dataclass(frozen=True, slots=True)
class Window:
    """One limit and whom it counts: `item` as `limits` parses it, `key` as it stands in Redis."""

    item: RateLimitItem
    key: str

    @property
    def name(self) -> str:
        """What is limited; the key begins with it."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Standing:
    """A window after a try: `seconds` until its oldest try no longer counts."""

    item: RateLimitItem
    used: int
    seconds: float

    @property
    def remaining(self) -> int:
        """Tries that are left."""
        return max(0, self.item.amount - self.used)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a try: whether it counts, and how each window stands."""

    allowed: bool
    standings: list[Standing]


class SharedWindows:
    """In Redis, for all processes: one round trip for a try, however many windows it has."""

    def __init__(self, redis: Redis) -> None:
        self._line = Line(redis)

    async def take(self, *windows: Window) -> Taken:
        """Count a try. Raises what redis-py raises, and TimeoutError where Redis is silent."""
        arguments: list[str | int] = [len(windows)]
        arguments += [f"{PREFIX}:{window.key}" for window in windows]
        for window in windows:
            arguments += [window.item.amount, window.item.get_expiry() * 1000]
        try:
            answer = await self._line.ask("EVALSHA", TAKE_SHA, *arguments)
        except NoScriptError:  # a Redis that has just started; from now on it knows the script
            answer = await self._line.ask("EVAL", TAKE, *arguments)
        allowed, *found = map(int, answer.split())
        pairs = zip(windows, found[::2], found[1::2], strict=True)
        return Taken(bool(allowed), [Standing(w.item, used, ms / 1000) for w, used, ms in pairs])

    async def close(self) -> None:
        """Hang up."""
        await self._line.close()


@dataclass(slots=True)
class _Times:
    span: float
    of_tries: deque[float] = field(default_factory=deque)

    def drop_old(self, now: float) -> None:
        while self.of_tries and self.of_tries[0] <= now - self.span:
            self.of_tries.popleft()

    def standing(self, item: RateLimitItem, now: float) -> Standing:
        oldest = self.of_tries[0] if self.of_tries else now
        return Standing(item, len(self.of_tries), oldest + self.span - now)


class LocalWindows:
    """In this process. Keys are bounded: when there are too many, the oldest is forgotten."""

    def __init__(self) -> None:
        self._times: dict[str, _Times] = {}
        self._swept = 0.0

    def take(self, *windows: Window) -> Taken:
        """Count a try."""
        now = monotonic()
        self._sweep(now)
        found = [(window, self._times_of(window, now)) for window in windows]
        allowed = all(len(times.of_tries) < window.item.amount for window, times in found)
        if allowed:
            for _, times in found:
                times.of_tries.append(now)
        return Taken(allowed, [times.standing(window.item, now) for window, times in found])

    def _times_of(self, window: Window, now: float) -> _Times:
        times = self._times.get(window.key)
        if times is None:
            while len(self._times) >= MOST_KEYS:
                del self._times[next(iter(self._times))]
            times = self._times[window.key] = _Times(window.item.get_expiry())
        times.drop_old(now)
        return times

    def _sweep(self, now: float) -> None:
        """Forget whom nothing counts for any more."""
        if now < self._swept + SWEEP_SECONDS:
            return
        self._swept = now
        for key, times in list(self._times.items()):
            times.drop_old(now)
            if not times.of_tries:
                del self._times[key]
