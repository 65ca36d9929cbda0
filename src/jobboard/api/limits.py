"""The limit on every request: who asks, under which class it counts, and what the answer tells.

`check` is a dependency of every router. It is on `HTTPConnection`, so it holds for a WebSocket,
too; what it finds out is left in the scope, for the `Quota` middleware to put into headers.

slowapi lends the vocabulary (`Limit`, key functions, `RateLimitExceeded`). Its own middleware and
decorators are not used: they ask Redis on the event loop, and know neither included routers nor
WebSockets.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11 (May 2026), and, for clients that
do not read structured fields, the three of its first drafts that many of them know.
"""

import hashlib
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address
from slowapi.wrappers import Limit
from starlette.requests import HTTPConnection

from jobboard.infra.engines import Engines
from jobboard.infra.limiter import whole_seconds
from jobboard.infra.rates import API_KEYS, UPLOADS, RateClass, class_of
from jobboard.infra.windows import Standing

KEY = "key:"
MOST_CALLERS = 10_000  # that a process knows by their credential
HEADERS = "rate_limit_headers"  # in the scope's state: for the answer
STRANGER = "rate_limit_stranger"  # in the scope's state: a credential we do not know yet


class Callers:
    """Whose credential it is: learnt when a request was let in, so that the next one counts for
    the person or key before any database is asked.

    A credential that is not known counts for its address: making ones up gains nothing.
    """

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie
        self._known: dict[bytes, str] = {}

    def find(self, connection: HTTPConnection) -> tuple[str, bytes | None]:
        """Whom a request counts for, and its credential where that is a stranger's."""
        credential = self._credential(connection)
        if credential is None:
            return key_of_address(connection), None
        caller = self._known.get(credential)
        return (key_of_address(connection), credential) if caller is None else (caller, None)

    def learn(self, credential: bytes, state: dict[str, str]) -> None:
        """Remember who came with it, if the request found out."""
        key, person = state.get("key_id"), state.get("person_id")
        if key or person:
            while len(self._known) >= MOST_CALLERS:
                del self._known[next(iter(self._known))]
            self._known[credential] = f"{KEY}{key}" if key else f"person:{person}"

    def _credential(self, connection: HTTPConnection) -> bytes | None:
        """A digest: the secret itself is not kept."""
        sent = connection.headers.get("authorization")
        if sent is None and "cookie" in connection.headers:
            sent = connection.cookies.get(self._cookie)
        if not sent:
            return None
        return hashlib.blake2b(sent.encode("latin-1", "replace"), digest_size=16).digest()


def key_of_address(connection: HTTPConnection) -> str:
    """The network that asks: an IPv4 address, or the /64 that one IPv6 customer holds."""
    return _network(get_remote_address(connection))  # ty: ignore[invalid-argument-type]


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return address


async def check(connection: HTTPConnection) -> None:
    """Count the request. Raises slowapi's RateLimitExceeded above the limit of its class."""
    scope = connection.scope
    rate_class = class_of(scope["endpoint"], scope.get("method", "GET"))
    if rate_class is None:
        return
    engines: Engines = connection.app.state.engines
    rate_class, caller = _who(connection, rate_class)
    counted = await engines.limiter.count(rate_class, caller)
    if counted is None:
        return
    allowed, standing = counted
    scope.setdefault("state", {})[HEADERS] = headers(rate_class, standing)
    if not allowed:
        refused = RateLimitExceeded(_limit(rate_class, standing))
        refused.headers = {"Retry-After": str(whole_seconds(standing.seconds))}
        raise refused


def _who(connection: HTTPConnection, rate_class: RateClass) -> tuple[RateClass, str]:
    if rate_class.strict:
        return rate_class, key_of_address(connection)
    callers: Callers = connection.app.state.callers
    caller, stranger = callers.find(connection)
    if stranger is not None:
        connection.scope.setdefault("state", {})[STRANGER] = stranger
    if caller.startswith(KEY) and rate_class is not UPLOADS:
        rate_class = API_KEYS
    return rate_class, caller


def _limit(rate_class: RateClass, standing: Standing) -> Limit:
    """The limit as slowapi tells it."""
    return Limit(
        standing.item,
        key_func=key_of_address,
        scope=rate_class.name,
        per_method=False,
        methods=None,
        error_message=None,
        exempt_when=None,
        cost=1,
        override_defaults=True,
    )


def headers(rate_class: RateClass, standing: Standing) -> list[tuple[bytes, bytes]]:
    """What a client may know of its limit. `t` and Reset are seconds until more is allowed."""
    name, item = rate_class.name.encode(), standing.item
    left, seconds = standing.remaining, whole_seconds(standing.seconds)
    return [
        (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (name, item.amount, item.get_expiry())),
        (b"ratelimit", b'"%s";r=%d;t=%d' % (name, left, seconds)),
        (b"ratelimit-limit", b"%d" % item.amount),
        (b"ratelimit-remaining", b"%d" % left),
        (b"ratelimit-reset", b"%d" % seconds),
    ]
