"""Passwords: argon2id with OWASP's parameters, off the event loop, a bounded number at once.

Parameters: OWASP Password Storage Cheat Sheet (m=19456 KiB, t=2, p=1). Rules for new ones:
NIST SP 800-63B-4, section 3.1.1: length and a blocklist, no composition rules. The blocklist,
`common_passwords.txt`, is our own: words, names, keyboard walks and runs of numbers that guessers
try first, and the usual ways to combine them.

Hold no database connection while you hash or verify: a few dozen log-ins at once would empty the
pool. All raise Unavailable when too many wait already.
"""

import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import TypeVar

from anyio import CapacityLimiter, Semaphore, WouldBlock, to_thread
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from jobboard.errors import Invalid, Unavailable

COST = re.compile(r"\bm=(\d+),t=(\d+)")  # in the hash itself: RFC 9106's parameters
LEAST_MEMORY = 8  # KiB, of argon2
UNUSABLE = "!"  # instead of a hash: nobody logs in with a password
AT_ONCE = 2  # each takes 19 MB and a core for some 20 ms
MOST_WAITING = 40  # half a second of work; whoever comes then is better served later
Result = TypeVar("Result")

_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


@cache
def _limiter() -> CapacityLimiter:
    return CapacityLimiter(AT_ONCE)


@cache
def _places() -> Semaphore:
    return Semaphore(AT_ONCE + MOST_WAITING)


async def _off_the_loop(work: Callable[..., Result], *args: object) -> Result:
    try:
        _places().acquire_nowait()
    except WouldBlock:
        raise Unavailable from None
    try:
        return await to_thread.run_sync(work, *args, limiter=_limiter())
    finally:
        _places().release()


async def hash_password(password: str) -> str:
    """A salted hash that says its own parameters."""
    return await _off_the_loop(_hasher.hash, password)


async def verify_password(password: str, hashed: str | None) -> bool:
    """Whether it is the password. `None` (no such person) costs the same time and is False."""
    matches = await _off_the_loop(_verify, password, hashed or _decoy())
    return matches and hashed is not None


def _verify(password: str, hashed: str) -> bool:
    try:
        matches = _hasher.verify(password, hashed)
    except UnknownHashError:  # an account without a password
        _hasher.verify(password, _decoy())
        return False
    if not matches:
        _work_off(_cost(_decoy()) - _cost(hashed))
    return matches


def _cost(hashed: str) -> int:
    """What a hash takes, in KiB times passes."""
    told = COST.search(hashed)
    return int(told[1]) * int(told[2]) if told else 0


def _work_off(cost: int) -> None:
    """What a hash from before the parameters rose took less: else it would tell, by the time of a
    refusal, that there is such an account."""
    if cost > 0:
        Argon2Hasher(time_cost=1, memory_cost=max(cost, LEAST_MEMORY), parallelism=1).hash("")


async def renewed(password: str, hashed: str) -> str | None:
    """The right password's hash by today's parameters; None where it has them."""
    if not _hasher.current_hasher.check_needs_rehash(hashed):
        return None
    return await hash_password(password)


@cache
def _decoy() -> str:
    return _hasher.hash("nobody's password")


@cache
def _common() -> frozenset[str]:
    text = resources.files("jobboard.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line)


def check_new_password(
    password: str, *, min_length: int, about: tuple[str, ...] = (), field: str = "password"
) -> None:
    """Refuse short and guessable passwords. `about` is what a guesser would try: name, e-mail.

    Raises Invalid, which blames `field`.
    """
    if len(password) < min_length:
        raise Invalid.field(
            field, f"Use at least {min_length} characters. A few words make a good password."
        )
    folded = password.casefold()
    simplest = folded.strip("0123456789!.?*# ")
    if folded in _common() or simplest in _common() or len(set(folded)) < 4:
        raise Invalid.field(field, "This password is easy to guess. Choose another.")
    if any(part and folded == part.casefold() for part in about):
        raise Invalid.field(field, "Your name or address is no password. Choose another.")
