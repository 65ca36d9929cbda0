"""Redis: clients with short timeouts. What it holds may be lost at any time."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
# For counting: an answer takes a fraction of a millisecond, so a few connections carry thousands
# of requests a second. Those that find none free wait; redis-py's usual pool would fail them.
COUNTING_CONNECTIONS = 16


def make_redis(url: str) -> Redis:
    """A client that gives up soon: a request never waits long for a Redis that is gone.

    Blocking reads (pub/sub, BLPOP) need a client of their own, without `socket_timeout`.
    """
    return Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, retry=_once()
    )


def make_counting_redis(url: str) -> Redis:
    """A client for the limiter, which bounds its waiting itself (`patience.py`)."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=COUNTING_CONNECTIONS,
        timeout=None,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=None,
        retry=_once(),
    )
    return Redis.from_pool(pool)


def _once() -> Retry:
    """One more try, at once: it replaces a pooled connection that a restart has closed."""
    return Retry(NoBackoff(), 1)
