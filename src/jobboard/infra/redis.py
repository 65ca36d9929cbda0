"""Redis: clients with short timeouts. What it holds may be lost at any time."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0


def make_redis(url: str) -> Redis:
    """A client that gives up soon: a request never waits long for a Redis that is gone.

    Blocking reads (pub/sub, BLPOP) need a client of their own, without `socket_timeout`.
    """
    return Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, retry=_once()
    )


def make_patient_redis(url: str) -> Redis:
    """A client for those who bound their waiting themselves, as `line.py` does."""
    return Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=None, retry=_once()
    )


def _once() -> Retry:
    """One more try, at once: it replaces a pooled connection that a restart has closed."""
    return Retry(NoBackoff(), 1)
