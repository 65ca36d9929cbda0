"""Redis: one client with short timeouts. What it holds may be lost at any time."""

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
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # One more try, at once: it replaces a pooled connection that a restart has closed.
        retry=Retry(NoBackoff(), 1),
    )
