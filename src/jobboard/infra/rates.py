"""Rate classes: what may be asked how often, and which endpoint belongs to which.

A door counts every request under the class of its endpoint (`api/limits.py`). An endpoint that says
nothing reads (GET) or writes (the rest); `@limited(SEARCH)` says otherwise, and `@exempt` that it
is not counted. A class is one budget for all of its endpoints together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class RateClass:
    """`rate` for one caller in production, as `60/minute`; `generous` times that in development.

    A `strict` class counts by address, whoever is logged in there, and goes on counting in each
    process while Redis is silent. The others are open meanwhile.
    """

    name: str
    rate: str
    generous: int = 1000
    strict: bool = False


READS = RateClass("reads", "600/minute")
SEARCH = RateClass("search", "120/minute")
SUGGESTIONS = RateClass("suggestions", "600/minute")
WRITES = RateClass("writes", "120/minute")
EVENTS = RateClass("events", "120/minute")
UPLOADS = RateClass("uploads", "120/hour")
LOGIN = RateClass("log-in", "300/5minutes", generous=10, strict=True)
API_KEYS = RateClass("api-keys", "1200/minute")  # whatever a key asks for, except uploads
CLASSES = (READS, SEARCH, SUGGESTIONS, WRITES, EVENTS, UPLOADS, LOGIN, API_KEYS)

_declared: dict[Callable[..., Any], RateClass | None] = {}


def limited(rate_class: RateClass) -> Callable[[Endpoint], Endpoint]:
    """Put an endpoint into a class. Stands below the route's decorator."""

    def declare(endpoint: Endpoint) -> Endpoint:
        _declared[endpoint] = rate_class
        return endpoint

    return declare


def exempt(endpoint: Endpoint) -> Endpoint:
    """Count nothing here: for monitoring, and for files that are kept in memory."""
    _declared[endpoint] = None
    return endpoint


def is_declared(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint says itself what it is."""
    return endpoint in _declared


def class_of(endpoint: Callable[..., Any], method: str) -> RateClass | None:
    """The class of a request; None for an endpoint that is exempt."""
    if endpoint in _declared:
        return _declared[endpoint]
    return READS if method in SAFE else WRITES
