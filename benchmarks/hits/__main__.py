"""What logging every hit costs a request: nothing at all beside our batches, beside an insert for
each request, and beside the same batches behind Starlette's BaseHTTPMiddleware.

python -m benchmarks.hits

The whole app runs in this process on engines of its own and answers a list of jobs to eight
callers, without a network. The kinds take turns; what counts is the ratio within a turn, whose
median is told. MongoDB runs on the same cores, so that its work is in the figures, too. The list is
kept short: the cheaper a request, the more its logging weighs.
"""

import asyncio
import os
import platform
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx2
import pymongo
import uvloop
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.hits import growth
from benchmarks.output import until_no_one_reads
from jobboard.analytics.hits import Hit, shelf, truncated
from jobboard.analytics.recorder import Collection, Recorder
from jobboard.asgi import create_app
from jobboard.clock import now
from jobboard.demo.board import fill
from jobboard.infra.embedded import temporary
from jobboard.infra.migrate import upgrade
from jobboard.infra.mongo import Mongo
from jobboard.settings import Settings

BASE = "http://127.0.0.1:8000"
PATH = "/api/v1/jobs?limit=5"
CALLERS, REQUESTS, TURNS = 8, 64, 7


def a_hit(client: str, started: float) -> Hit:
    """As our own middleware notes it."""
    ms = round((perf_counter() - started) * 1000, 2)
    return Hit(now(), "/api/v1/jobs", "GET", 200, ms, 4000, None, None, truncated(client), "0" * 24)


class InsertEach:
    """The naive way: each request waits until its hit is stored."""

    def __init__(self, app: ASGIApp, collection: Collection) -> None:
        self.app, self.collection = app, collection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        await self.app(scope, receive, send)
        with pymongo.timeout(60):  # it may wait: a failed request would only look fast
            await self.collection.insert_one(a_hit("203.0.113.7", started)._asdict())


class BehindBase(BaseHTTPMiddleware):
    """Our recorder, fed as most tutorials show it."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        super().__init__(app)
        self.recorder = recorder

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """One request."""
        started = perf_counter()
        response = await call_next(request)
        self.recorder.record(a_hit("203.0.113.7", started))
        return response


async def seconds(client: httpx2.AsyncClient) -> float:
    """How long the callers take for a turn's requests."""

    async def call() -> None:
        for _ in range(REQUESTS // CALLERS):
            answer = await client.get(PATH)
            assert answer.status_code == 200, answer.text

    started = perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return perf_counter() - started


@asynccontextmanager
async def serving(
    settings: Settings, wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of an app of its own."""
    app = create_app(settings)
    transport = httpx2.ASGITransport(app=wrap(app))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=BASE) as client,
    ):
        yield client


async def run(settings: Settings) -> None:
    """Fill a board, let the kinds take turns, tell the ratios."""
    silent = settings.model_copy(update={"mongo_url": type(settings.mongo_url)("")})
    mongo = Mongo(settings.mongo_url.get_secret_value())
    recorder = Recorder("base")
    recorder.start(shelf(mongo.database, ttl_days=30))
    each = mongo.database["one_by_one"]
    async with AsyncExitStack() as stack:
        clients = {
            "no log of hits": await stack.enter_async_context(serving(silent)),
            "ours, in batches": await stack.enter_async_context(serving(settings)),
            "an insert for each": await stack.enter_async_context(
                serving(silent, lambda app: InsertEach(app, each))
            ),
            "behind BaseHTTPMiddleware": await stack.enter_async_context(
                serving(silent, lambda app: BehindBase(app, recorder))
            ),
        }
        for client in clients.values():
            await seconds(client)  # warm up
        turns = [
            {name: await seconds(client) for name, client in clients.items()} for _ in range(TURNS)
        ]
    await recorder.close()
    await mongo.close()
    for name in clients:
        rate = REQUESTS / median(turn[name] for turn in turns)
        ratio = median(turn["no log of hits"] / turn[name] for turn in turns)
        print(f"  {name:28}{rate:8.0f} requests/s  x{ratio:4.2f}")


async def filled(settings: Settings) -> None:
    """Some jobs to list."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        engines = app.state.engines
        async with engines.database.transaction() as session:
            await fill(session, engines.storage, settings, jobs=100, seed=1)


def main() -> None:
    """Start engines, measure, stop them."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder, temporary() as urls:
        upgrade(urls.database_url)
        settings = Settings(
            base_url=BASE,
            secret_key="a secret of the benchmarks, long enough for a key",
            database_url=urls.database_url,
            redis_url=urls.redis_url,
            mongo_url=urls.mongo_url,
            storage_url=Path(folder).as_uri(),
            rate_limits="off",
            log_format="json",
        )
        print(f"GET {PATH}, {CALLERS} callers, {TURNS} turns of {REQUESTS} requests for each kind")
        with Path(os.devnull).open("w") as nowhere:  # the log of requests is not what is measured
            saved = os.dup(2)
            os.dup2(nowhere.fileno(), 2)
            try:
                uvloop.run(filled(settings))
                uvloop.run(run(settings))
            finally:
                os.dup2(saved, 2)
        uvloop.run(growth.run(urls.mongo_url))


if __name__ == "__main__":
    until_no_one_reads(main)
