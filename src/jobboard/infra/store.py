"""Answers kept in Redis for all processes, through cashews, each under tags.

An answer is kept with the marks that its tags had before the database was asked. Whoever commits a
change takes these marks away; the next who asks makes others. So what was read before the change
and is stored after it, by whichever process, has marks that nobody holds to any more: it is never
given. (cashews' own tags are sets of keys to delete, which such a late answer is not in.)

What stands in Redis is signed: who can write there cannot make pages of ours.
"""

import asyncio
import hashlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from cashews import Cache as Cashews
from cashews import register_backend
from cashews.backends.redis import Redis as Backend
from cashews.exceptions import CacheError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobboard.infra.line import Line
from jobboard.infra.silence import Silence

FRESH = 20.0  # seconds; what is older is given once more, and asked for anew meanwhile
KEPT = 60.0  # seconds; what is older is not given, whatever else went wrong
MARKED = 600.0  # seconds that a mark stands; without one its answers are asked for anew
LARGEST = 512 * 1024  # bytes of an answer that is worth keeping
LEASE = 10.0  # seconds that one process may take for an answer while the others wait for it
TRIES = 3  # to find marks that nobody takes away meanwhile
PAUSE = 0.5  # seconds between two tries to take marks away
SCHEME = "jobboard"
FAILURES = (RedisError, OSError, CacheError)


class _Commands(Redis):
    """redis-py's commands, asked over the one connection of `line.py`: a third of the cost."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(connection_pool=redis.connection_pool)
        self.line = Line(redis)

    async def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ARG002 - as it asks
        answer = await self.line.ask(*args)
        understand = self.response_callbacks.get(args[0])
        return understand(answer) if understand else answer


class _Backend(Backend):
    """cashews' Redis on it."""

    is_init = True  # nothing is dialled before the first question

    def __init__(self, commands: _Commands, **settings: Any) -> None:
        super().__init__("", suppress=False, **settings)
        self._client: Any = commands


register_backend(SCHEME, _Backend)


@dataclass(frozen=True, slots=True)
class Found:
    """What Redis has of an answer: the marks to keep a new one under, and the kept one, if any."""

    marks: tuple[bytes, ...]
    body: bytes | None = None
    stale: bool = False


class Store:
    """Looks, keeps, forgets. Never raises because of Redis, and waits for it half a second."""

    def __init__(self, redis: Redis, secret: str) -> None:
        self._redis = redis
        self._commands = _Commands(redis)
        self._cashews = Cashews()
        self._cashews.setup(
            f"{SCHEME}://",
            commands=self._commands,
            secret=secret,
            digestmod=b"sha256",
            pickle_type="null",
            check_repr=False,
        )
        # A new secret key does not meet what was signed with the old one.
        self._prefix = "kept:" + hashlib.sha256(secret.encode()).hexdigest()[:8]
        self._silence = Silence("cache.redis", FAILURES)
        self._debt: dict[str, float] = {}  # marks still to be taken away, and until when it matters
        self._paying: asyncio.Task[None] | None = None

    async def look(self, key: str, tags: Sequence[str]) -> Found | None:
        """What is kept under `key`, if its marks are still those of `tags`. None: Redis is silent.

        One round trip, and two more where a tag has no mark yet.
        """
        names = [self._name("mark", tag) for tag in tags]
        return await self._silence.ask(self._look, names, self._name("answer", key))

    async def _look(self, names: list[str], key: str) -> Found | None:
        for _ in range(TRIES):
            *marks, kept = await self._cashews.get_many(*names, key)
            lacking = [name for name, mark in zip(names, marks, strict=True) if mark is None]
            if not lacking:
                return _read(tuple(filter(None, marks)), kept)
            await asyncio.gather(*map(self._make_mark, lacking))
        return None  # someone changes things all the time: it is no time to keep any

    async def _make_mark(self, name: str) -> None:
        await self._cashews.set(name, token_hex(8).encode(), expire=MARKED, exist=False)

    async def keep(self, key: str, marks: tuple[bytes, ...], body: bytes, seconds: float) -> None:
        """Keep an answer for `seconds` and no longer than KEPT."""
        if seconds <= 0 or len(body) > LARGEST:
            return
        head = b" ".join((str(time.time() + FRESH).encode(), *marks))
        name, kept = self._name("answer", key), head + b"\n" + body
        await self._silence.ask(self._cashews.set, name, kept, expire=min(seconds, KEPT))

    async def take_lease(self, key: str, owner: str) -> bool:
        """Whether `owner` alone may ask for this answer. True, too, where Redis is silent."""
        lease = self._name("lease", key)
        return await self._silence.ask(self._cashews.set_lock, lease, owner, LEASE) is not False

    async def end_lease(self, key: str, owner: str) -> None:
        """Let others ask."""
        await self._silence.ask(self._cashews.unlock, self._name("lease", key), owner)

    async def forget(self, tags: Collection[str]) -> None:
        """Take the marks of `tags` away: called after the commit that made them wrong.

        Where Redis is silent it goes on trying, without anybody waiting, as long as something might
        be kept. A process that dies meanwhile leaves what is kept wrong for KEPT seconds at most.
        """
        until = time.monotonic() + KEPT
        self._debt |= {self._name("mark", tag): until for tag in tags}
        if await self._silence.ask(self._pay):
            return
        if self._paying is None or self._paying.done():
            self._paying = asyncio.create_task(self._pay_later())

    async def _pay(self) -> bool:
        owed = list(self._debt)
        await self._cashews.delete_many(*owed)
        for name in owed:
            self._debt.pop(name, None)
        return True

    async def _pay_later(self) -> None:
        while self._debt:
            await asyncio.sleep(PAUSE)
            moment = time.monotonic()
            self._debt = {name: until for name, until in self._debt.items() if until > moment}
            if self._debt:
                await self._silence.insist(self._pay)

    async def close(self) -> None:
        """Hang up."""
        if self._paying is not None:
            self._paying.cancel()
        await self._commands.line.close()
        await self._redis.aclose()

    def _name(self, kind: str, what: str) -> str:
        # Hashed: what people search for is of any length, and Redis need not know it.
        digest = hashlib.blake2b(what.encode(errors="surrogatepass"), digest_size=16)
        return f"{self._prefix}:{kind}:{digest.hexdigest()}"


def _read(marks: tuple[bytes, ...], kept: bytes | None) -> Found:
    if kept is None:
        return Found(marks)
    head, _, body = kept.partition(b"\n")
    fresh_until, *kept_under = head.split(b" ")
    if tuple(kept_under) != marks:
        return Found(marks)
    return Found(marks, body, stale=float(fresh_until) < time.time())
