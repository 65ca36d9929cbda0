"""What each middleware adds to a request: alone, all together, and beside BaseHTTPMiddleware.

python -m benchmarks.middleware

The app is called as a server would call it, without a network, in one process on uvloop. Time is
that of this thread's processor, the best of some turns that alternate, so that a busy machine
changes the figures little; `requests/s` is one second divided by it. The peers do the same job with
Starlette's BaseHTTPMiddleware; the limiter's peer is the moving window of `limits.aio`, one try and
what is left of it. The limiter asks a Redis of its own: add its wait to the time.
"""

import asyncio
import gzip
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import uvloop
from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from limits import parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from benchmarks.board import receive, scope_of
from benchmarks.output import until_no_one_reads
from jobboard.analytics.hits import Hit, truncated
from jobboard.analytics.recorder import Recorder
from jobboard.api import limits, media
from jobboard.api.callers import Callers
from jobboard.api.metrics import Metrics
from jobboard.api.middleware import (
    Acquaint,
    Compress,
    Crashes,
    Guard,
    Head,
    Headers,
    Identify,
    Observe,
    Proxies,
)
from jobboard.api.middleware.compress import LEVEL
from jobboard.api.middleware.guard import BODY_LIMIT
from jobboard.api.middleware.headers import ALWAYS
from jobboard.api.routes import RouteTable
from jobboard.clock import now
from jobboard.infra import logs
from jobboard.infra.embedded import temporary
from jobboard.infra.limiter import Limiter
from jobboard.infra.redis import make_patient_redis

REQUESTS, TURNS, CROWD = 300, 7, 20
TEXT = "a job for everyone, " * 500  # 10 kB, for gzip
COUNTS = ("counted", "pinged", "windowed")
PLENTY = parse("100000/minute")
Wrap = Callable[[ASGIApp], ASGIApp]


class Bench:
    """A small app and what the middleware wants to know of it."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.app.get("/api/hello")(hello)
        self.app.get("/api/text")(text)
        doors = [Depends(limits.check), Depends(media.check)]
        self.app.get("/api/counted", dependencies=doors)(counted)
        self.app.get("/api/pinged", dependencies=[Depends(ping), doors[1]])(counted)
        self.app.get("/api/windowed", dependencies=[Depends(window), doors[1]])(counted)
        self.app.state.callers = self.callers = Callers("session")
        self.hits = Recorder("hits")
        self.metrics = Metrics()
        self.routes = RouteTable(self.app)

    def wraps(self) -> dict[str, tuple[Wrap, Wrap | None]]:
        """Each middleware and its peer, from the outside in."""
        observe = partial(Observe, routes=self.routes, metrics=self.metrics, hits=self.hits)
        return {
            "Identify: address, request id": (
                partial(Identify, proxies=Proxies()),
                partial(BaseHTTPMiddleware, dispatch=peer_identify),
            ),
            "Observe: log, metrics, hit": (
                observe,
                partial(BaseHTTPMiddleware, dispatch=partial(peer_observe, self)),
            ),
            "Headers: security": (
                partial(Headers, production=False),
                partial(BaseHTTPMiddleware, dispatch=peer_headers),
            ),
            "Acquaint: whose credential": (
                partial(Acquaint, callers=self.callers),
                partial(BaseHTTPMiddleware, dispatch=peer_nothing),
            ),
            "Head: HEAD as GET": (Head, partial(BaseHTTPMiddleware, dispatch=peer_nothing)),
            "gzip: an answer too short": (gzipped, None),
            "Guard: size, NUL": (
                partial(Guard, routes=self.routes, upload_limit=5_000_000),
                partial(BaseHTTPMiddleware, dispatch=peer_guard),
            ),
            "Crashes: 500": (Crashes, partial(BaseHTTPMiddleware, dispatch=peer_crashes)),
        }


async def hello() -> PlainTextResponse:
    return PlainTextResponse("hello")


async def counted() -> PlainTextResponse:
    return PlainTextResponse("hello")


async def text() -> PlainTextResponse:
    return PlainTextResponse(TEXT)


async def ping(request: Request) -> None:
    """What stands in the place of the count: the least that redis-py can ask."""
    await request.app.state.redis.execute_command("PING")


async def window(request: Request) -> None:
    """What stands in the place of the count: the library's own strategy."""
    windows: MovingWindowRateLimiter = request.app.state.windows
    assert await windows.hit(PLENTY, "search", "203.0.113.7")
    await windows.get_window_stats(PLENTY, "search", "203.0.113.7")


def gzipped(app: ASGIApp) -> ASGIApp:
    return Compress(app)


async def peer_nothing(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def peer_identify(request: Request, call_next: RequestResponseEndpoint) -> Response:
    request.state.request_id = os.urandom(12).hex()
    response = await call_next(request)
    response.headers["X-Request-ID"] = request.state.request_id
    return response


async def peer_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    return response


async def peer_guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    if int(request.headers.get("content-length", "0")) > BODY_LIMIT or "\0" in request.url.path:
        return Response(status_code=413)
    return await call_next(request)


async def peer_crashes(request: Request, call_next: RequestResponseEndpoint) -> Response:
    try:
        return await call_next(request)
    except RuntimeError:
        return Response(status_code=500)


async def peer_observe(
    bench: Bench, request: Request, call_next: RequestResponseEndpoint
) -> Response:
    started = perf_counter()
    response = await call_next(request)
    seconds = perf_counter() - started
    route = bench.routes.template(request.scope)
    client = request.client.host if request.client else ""
    bench.metrics.observe(route, request.method, response.status_code, seconds)
    hit = Hit(
        at=now(),
        route=route,
        method=request.method,
        status=response.status_code,
        ms=round(seconds * 1000, 2),
        bytes=int(response.headers.get("content-length", "0")),
        person_id=None,
        key_id=None,
        address=truncated(client),
        request_id="",
    )
    bench.hits.record(hit)
    LOG.info("request", method=request.method, path=request.url.path, status=hit.status, ms=hit.ms)
    return response


LOG = logs.structlog.get_logger("benchmark")


def scope(path: str) -> dict[str, Any]:
    return scope_of(
        path,
        user_agent="Mozilla/5.0 (X11; Linux x86_64) benchmark",
        accept="application/json",
        accept_encoding="gzip, deflate",
        accept_language="en",
    )


async def send(message: Message) -> None:
    assert message.get("status", 200) == 200, message


async def spend(app: ASGIApp, path: str, at_once: int) -> float:
    """Microseconds of the processor for a request."""
    asked = scope(path)

    async def ask() -> None:
        # Identify sets what Observe and Acquaint read, so alone they are given it.
        await app({**asked, "state": {"request_id": "0"}}, receive, send)

    started = thread_time()
    for _ in range(REQUESTS // at_once):
        if at_once > 1:
            await asyncio.gather(*(ask() for _ in range(at_once)))
        else:
            await ask()
    return (thread_time() - started) / REQUESTS * 1e6


async def compare(apps: dict[str, tuple[ASGIApp, str]], at_once: int = 1) -> dict[str, float]:
    """The best turn of each, one turn of all after the other."""
    best = dict.fromkeys(apps, float("inf"))
    for _ in range(TURNS):
        for name, (app, path) in apps.items():
            best[name] = min(best[name], await spend(app, path, at_once))
    return best


def line(name: str, took: float, base: float, peer: float | None = None) -> None:
    beside = (
        "" if peer is None else f"{peer - base:9.1f} {(peer - base) / max(took - base, 1):6.0f}x"
    )
    print(f"{name:34} {took:8.1f} {1e6 / took:11,.0f} {took - base:+8.1f} {beside}")


def counts(took: dict[str, float], base: float) -> str:
    count, pinged, windowed = (took[name] - base for name in COUNTS)
    return (
        f"{count:.0f} us, in its place a PING {pinged:.0f} us, "
        f"limits.aio {windowed:.0f} us ({windowed / max(count, 1):.1f}x)"
    )


def together(app: ASGIApp, wraps: list[Wrap]) -> ASGIApp:
    for wrap in reversed(wraps):
        app = wrap(app)
    return app


async def measure(bench: Bench, redis_url: str) -> None:
    wraps = bench.wraps()
    # Without ServerErrorMiddleware and the like, which FastAPI puts around everything.
    inner: ASGIApp = bench.app
    ours = {name: (wrap(inner), "/api/hello") for name, (wrap, _) in wraps.items()}
    peers = {
        f"peer {name}": (peer(inner), "/api/hello") for name, (_, peer) in wraps.items() if peer
    }
    whole = together(inner, [wrap for wrap, _ in wraps.values()])
    all_peers = together(inner, [peer for _, peer in wraps.values() if peer])
    bench.app.state.engines = Counting(redis_url)
    redis = bench.app.state.redis = make_patient_redis(redis_url)
    lent: dict[str, Any] = {"connection_pool": redis.connection_pool}
    storage = RedisStorage(f"async+{redis_url}", implementation="redispy", **lent)
    bench.app.state.windows = MovingWindowRateLimiter(storage)
    took = await compare(
        {"none": (inner, "/api/hello"), **ours, **peers}
        | {"all": (whole, "/api/hello"), "all peers": (all_peers, "/api/hello")}
        | {"text": (inner, "/api/text"), "text gzip": (gzipped(inner), "/api/text")}
        | {name: (whole, f"/api/{name}") for name in COUNTS}
    )
    crowd = {name: (whole, f"/api/{name}") for name in (*COUNTS, "hello")}
    crowded = await compare(crowd, at_once=CROWD)
    base = took["none"]
    print("a request                          us (cpu)  requests/s    added   (BaseHTTPMiddleware)")
    line("no middleware", base, base, None)
    for name in wraps:
        line(name, took[name], base, took.get(f"peer {name}"))
    line("all together", took["all"], base, took["all peers"])
    line("all, and counted in Redis", took["counted"], base)
    print(f"  the count itself {counts(took, took['all'])}")
    print(f"  of {CROWD} at once: each {counts(crowded, crowded['hello'])}")
    line("10 kB, as it is", took["text"], took["text"])
    small = len(gzip.compress(TEXT.encode(), LEVEL))
    line(f"10 kB, gzip to {small} bytes", took["text gzip"], took["text"])
    await bench.app.state.engines.limiter.close()
    await redis.aclose()


class Counting:
    """As much of the engines as `limits.check` asks for."""

    def __init__(self, redis_url: str) -> None:
        self.limiter = Limiter(make_patient_redis(redis_url))


def main() -> None:
    names = ("fastapi", "starlette", "uvloop", "structlog", "limits", "redis")
    print(", ".join(f"{name} {version(name)}" for name in names))
    with temporary(needed=["redis_url"]) as started, Path(os.devnull).open("w") as nowhere:
        sys.stderr = nowhere  # where the log lines go; writing them out is part of the cost
        try:
            logs.configure("json")
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(measure(Bench(), started.redis_url))
        finally:
            sys.stderr = sys.__stderr__


if __name__ == "__main__":
    until_no_one_reads(main)
