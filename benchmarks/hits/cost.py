"""What logging every hit costs a request: beside no log at all, an insert for each request, and
the same batches behind Starlette's BaseHTTPMiddleware.

python -m benchmarks hits_cost

The whole app answers a list of jobs to some callers, without a network. The kinds take turns, in
another order each time. Before a turn counts, requests run for longer than a batch waits, so that a
turn holds as much writing as it causes; after it everything is stored before the next one begins.
What is told is the median of the ratios within a turn, and the processor's time of this process,
which a busy machine changes less; at the end that of a hit by itself. MongoDB is on the same cores
and takes its share of the wall clock. The list is kept short: the cheaper a request, the more its
logging weighs.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import httpx2
import pymongo
import uvloop
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.board import board, filled, quiet, serving
from benchmarks.output import until_no_one_reads
from jobboard.analytics.hits import Hit, shelf, truncated
from jobboard.analytics.recorder import BATCH, GATHER_SECONDS, Collection, Recorder
from jobboard.clock import now
from jobboard.infra.mongo import Mongo
from jobboard.settings import Settings

PATH = "/api/v1/jobs?limit=5"
CALLERS, TURNS = 8, 7
ALONE = 10  # batches
BEFORE, SECONDS = GATHER_SECONDS * 1.2, GATHER_SECONDS * 3
NONE = "no log of hits"


def a_hit(started: float) -> Hit:
    """As our own middleware notes it."""
    ms = round((perf_counter() - started) * 1000, 2)
    network = truncated("203.0.113.7")
    return Hit(now(), "/api/v1/jobs", "GET", 200, ms, 4000, None, None, network, "0" * 24)


class InsertEach:
    """The naive way: each request waits until its hit is stored."""

    def __init__(self, app: ASGIApp, collection: Collection) -> None:
        self.app, self.collection = app, collection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        await self.app(scope, receive, send)
        with pymongo.timeout(60):  # it may wait: a failed request would only look fast
            await self.collection.insert_one(a_hit(started)._asdict())


class BehindBase(BaseHTTPMiddleware):
    """Our recorder, fed as most tutorials show it."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        super().__init__(app)
        self.recorder = recorder

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """One request."""
        started = perf_counter()
        response = await call_next(request)
        self.recorder.record(a_hit(started))
        return response


@dataclass(frozen=True, slots=True)
class Turn:
    """Of a request, in microseconds: on the wall's clock, and of this process's processor."""

    wall: float
    processor: float


async def turn(client: httpx2.AsyncClient) -> Turn:
    """A turn of one kind, in its steady state."""
    await _ask(client, BEFORE)
    started, spent = perf_counter(), process_time()
    number = await _ask(client, SECONDS)
    took = Turn((perf_counter() - started) / number * 1e6, (process_time() - spent) / number * 1e6)
    await asyncio.sleep(BEFORE)  # nobody's hits wait any more
    return took


async def _ask(client: httpx2.AsyncClient, seconds: float) -> int:
    end = perf_counter() + seconds

    async def call() -> int:
        number = 0
        while perf_counter() < end:
            answer = await client.get(PATH)
            assert answer.status_code == 200, answer.text
            number += 1
        return number

    return sum(await asyncio.gather(*(call() for _ in range(CALLERS))))


async def alone(recorder: Recorder) -> float:
    """Microseconds of this process's processor for one hit, recorded and stored with others."""
    spent = process_time()
    for _ in range(ALONE):
        for _ in range(BATCH):
            recorder.record(a_hit(perf_counter()))
        while recorder.buffered:  # noqa: ASYNC110 - a counter is no event
            await asyncio.sleep(0.01)
    return (process_time() - spent) / (ALONE * BATCH) * 1e6


async def run(settings: Settings) -> None:
    """Fill a board, let the kinds take turns, tell the ratios."""
    await filled(settings)
    silent = settings.model_copy(update={"mongo_url": type(settings.mongo_url)("")})
    mongo = Mongo(settings.mongo_url.get_secret_value())
    recorder = Recorder("base")
    recorder.start(shelf(mongo.database, ttl_days=30))
    each = mongo.database["one_by_one"]
    kinds: dict[str, tuple[Settings, Callable[[ASGIApp], ASGIApp]]] = {
        NONE: (silent, lambda app: app),
        "ours, in batches": (settings, lambda app: app),
        "an insert for each": (silent, lambda app: InsertEach(app, each)),
        "behind BaseHTTPMiddleware": (silent, lambda app: BehindBase(app, recorder)),
    }
    turns: dict[str, list[Turn]] = {name: [] for name in kinds}
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(serving(of, wrap))
            for name, (of, wrap) in kinds.items()
        }
        names = list(kinds)
        for number in range(TURNS):
            for name in [*names[number % 4 :], *names[: number % 4]]:
                turns[name].append(await turn(clients[name]))
    hit = await alone(recorder)
    await recorder.close()
    await mongo.close()
    print(f"  {'':28}requests/s  of none, least to most     processor  of none")
    for name, took in turns.items():
        rate = 1e6 / median(each.wall for each in took)
        ratios = sorted(n.wall / each.wall for n, each in zip(turns[NONE], took, strict=True))
        shares = [n.processor / each.processor for n, each in zip(turns[NONE], took, strict=True)]
        processor = median(each.processor for each in took)
        spread = f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(
            f"  {name:28}{rate:10.0f}    x{median(ratios):4.2f}  {spread}"
            f"    {processor:7.0f} us    x{median(shares):4.2f}"
        )
    base = median(each.processor for each in turns[NONE])
    print(f"  a hit by itself, recorded and stored: {hit:.0f} us, {hit / base:.1%} of a request")


def main() -> None:
    """Start engines, measure, stop them."""
    print("What logging every hit costs: at least x0.90 of no log is promised")
    print(f"  GET {PATH}, {CALLERS} callers, {TURNS} turns of {SECONDS:.0f} s for each kind")
    with board() as settings, quiet():
        uvloop.run(run(settings))


if __name__ == "__main__":
    until_no_one_reads(main)
