"""The limit on every request: who asks, under which class it counts, and what the answer tells.

`check` is a dependency of every router. It is on `HTTPConnection`, so it holds for a WebSocket,
too. `Counted` does the same for what has no dependencies: unknown addresses, and mounted apps.

slowapi lends the vocabulary (`Limit`, key functions, `RateLimitExceeded`). Its own middleware and
decorators are not used: they ask Redis on the event loop, and know neither included routers nor
WebSockets.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11 (May 2026), and, for clients that
do not read structured fields, the three of its first drafts that many of them know.
"""

from slowapi.errors import RateLimitExceeded
from slowapi.wrappers import Limit
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from jobboard.api.callers import KEY, STRANGER, Callers, key_of_address
from jobboard.api.middleware.headers import add_header
from jobboard.infra.engines import Engines
from jobboard.infra.limiter import whole_seconds
from jobboard.infra.quota import quota_headers
from jobboard.infra.rates import API_KEYS, READS, SAFE, UPLOADS, WRITES, RateClass, class_of
from jobboard.infra.windows import Standing


async def check(connection: HTTPConnection) -> None:
    """Count the request. Raises slowapi's RateLimitExceeded above the limit of its class."""
    scope = connection.scope
    rate_class = class_of(scope["endpoint"], scope.get("method", "GET"))
    if rate_class is not None:
        await _count(connection, rate_class)


class Counted:
    """Counts what comes to an app that knows nothing of limits, as reads or writes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope.get("method", "GET") in SAFE
        await _count(HTTPConnection(scope), READS if reads else WRITES)
        await self.app(scope, receive, send)


async def _count(connection: HTTPConnection, rate_class: RateClass) -> None:
    engines: Engines = connection.app.state.engines
    rate_class, caller = _who(connection, rate_class)
    counted = await engines.limiter.count(rate_class, caller)
    if counted is None:
        return
    allowed, standing = counted
    seconds = whole_seconds(standing.seconds)
    item = standing.item
    told = quota_headers(
        rate_class.name, item.amount, item.get_expiry(), left=standing.remaining, seconds=seconds
    )
    for name, value in told.items():
        add_header(connection.scope, name, value)
    if not allowed:
        refused = RateLimitExceeded(_limit(rate_class, standing))
        refused.headers = {"Retry-After": str(seconds)}
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
