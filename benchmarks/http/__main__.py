"""GET /api/v1/jobs over HTTP on one core, beside what it stands on and what one would write first.

HTTP_JOBS=20000 python -m benchmarks http
HTTP_DATA=FOLDER ...: a board that `jobboard demo --jobs N --data-dir FOLDER` has filled

The web process and PostgreSQL share one core; Redis, MongoDB and the clients have another. The
whole product answers: every middleware, limits (each request is another visitor's), hits logged in
MongoDB, request logs written. Kinds take turns; read the ratios.

    whole product, asked   each search goes to PostgreSQL: `JOBBOARD_CACHE` is off
    whole product, kept    the same searches from the cache
    PostgreSQL alone       the product's own statements of the same searches, prepared, by asyncpg
    plain                  ORM rows and a response_model (plain.py), with no middleware at all
    hello                  FastAPI's own, with no middleware at all
"""

import asyncio
import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import urlencode

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI
from sqlalchemy import event

from benchmarks.board import quiet
from benchmarks.http import plain
from benchmarks.http.client import Load, send
from benchmarks.output import until_no_one_reads
from benchmarks.search.shapes import SHAPES
from jobboard.asgi import create_app
from jobboard.cli.processes import SERVING
from jobboard.demo import bulk
from jobboard.infra.embedded import engines, temporary
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.jobs.search import JobSearch, search
from jobboard.settings import Settings

JOBS = int(os.environ.get("HTTP_JOBS", "20000"))
KEPT = os.environ.get("HTTP_DATA", "")
TURNS, SECONDS, WARM = 3, 4.0, 1.0
CONNECTIONS = 16
SEARCHES = [shape.query for shape in SHAPES if shape.filters != "rare filters"]
Statements = list[tuple[str, tuple[Any, ...]]]


@contextmanager
def on_core(number: int) -> Generator[None]:
    """What is started here stays on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def serve(port: int, make: Callable[..., FastAPI], *given: Any) -> None:
    """A web process, as the product runs its own."""
    options: dict[str, Any] = {**SERVING}
    with quiet():
        uvicorn.run(make(*given), port=port, **options)


@contextmanager
def serving(make: Callable[..., FastAPI], *given: Any) -> Generator[int]:
    """The port where an app answers, in a process of its own on the first core."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port, make, *given))
    with on_core(0):
        process.start()
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.join()


def _wait(port: int, process: Any) -> None:
    end = monotonic() + 30
    while process.is_alive() and monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise RuntimeError("The server did not start.")


async def statements(url: str) -> list[Statements]:
    """What the product asks PostgreSQL for each search."""
    database, every = Database(url), []
    for asked in SEARCHES:
        heard: Statements = []

        def note(_1: Any, _2: Any, sql: str, given: Any, *_: Any, heard: Any = heard) -> None:
            heard.append((sql, tuple(given)))

        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        async with database.transaction() as session:
            await search(session, JobSearch(**asked))
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
        every.append(heard)
    await database.close()
    return every


async def replay(url: str, every: Sequence[Statements], seconds: float) -> Load:
    """Eight connections that ask nothing but these."""
    load, end, turns = Load(seconds), perf_counter() + seconds, cycle(every)

    async def work() -> None:
        connection = await asyncpg.connect(url, timeout=10, statement_cache_size=1000)
        while (began := perf_counter()) < end:
            async with connection.transaction():
                for sql, given in next(turns):
                    await connection.fetch(sql, *given)
            load.took.append(perf_counter() - began)
        await connection.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS // 2)))
    return load


def paths(root: str, names: Sequence[str]) -> Iterator[str]:
    asked = [{name: each[name] for name in names if name in each} for each in SEARCHES]
    return cycle([f"{root}?{urlencode(each, doseq=True)}" for each in asked])


def measure(kinds: dict[str, Callable[[float], Load]]) -> dict[str, list[Load]]:
    """Each kind in turn."""
    loads: dict[str, list[Load]] = {name: [] for name in kinds}
    for run in kinds.values():
        run(WARM)
    for _ in range(TURNS):
        for name, run in kinds.items():
            loads[name].append(run(SECONDS))
    return loads


def show(loads: dict[str, list[Load]]) -> None:
    rates = {name: median(load.rate for load in each) for name, each in loads.items()}
    print(f"{'':24}{'a second':>10}{'p50 ms':>9}{'p95 ms':>9}")
    for name, each in loads.items():
        cuts = quantiles([ms * 1000 for load in each for ms in load.took], n=20)
        print(f"{name:24}{rates[name]:10,.0f}{cuts[9]:9.1f}{cuts[18]:9.1f}")
    asked, kept, alone, first, hello = rates.values()
    print(f"\nasked / PostgreSQL alone {asked / alone:5.2f}")
    print(f"asked / plain            {asked / first:5.2f}")
    print(f"kept / hello             {kept / hello:5.2f}")


@contextmanager
def filled() -> Generator[str]:
    """A database with jobs: the one that was kept, or one of this benchmark's own."""
    needed = ["database_url"]
    with ExitStack() as stack:
        with on_core(0):
            held = engines(Path(KEPT), needed=needed) if KEPT else temporary(needed=needed)
            url = stack.enter_context(held).database_url
        upgrade(url)
        if not KEPT:
            asyncio.run(_fill(url))
        yield url


async def _fill(url: str) -> None:
    await bulk.copy(url, seed=1, first=0, jobs=JOBS, days=60, progress=lambda _: None)
    await bulk.index(url)


async def count(url: str) -> int:
    """Live jobs."""
    async with bulk.connected(url) as connection:
        return await connection.fetchval("SELECT count(*) FROM live_jobs")


def main() -> None:
    """On engines of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(filled())
        with on_core(1):
            others = stack.enter_context(temporary(needed=["redis_url", "mongo_url"]))
        print(f"HTTP: {asyncio.run(count(database)):,} live jobs, {len(SEARCHES)} searches, "
              f"{CONNECTIONS} connections, Python {sys.version.split()[0]}")  # fmt: skip
        settings = Settings.model_validate(
            {
                "base_url": "http://127.0.0.1:8000",
                "secret_key": "a secret of the benchmarks, long enough for a key",
                "database_url": database,
                "redis_url": others.redis_url,
                "mongo_url": others.mongo_url,
                "storage_url": folder.as_uri(),
                "trusted_proxies": "127.0.0.1/32",
            }
        )
        asked = stack.enter_context(
            serving(create_app, settings.model_copy(update={"cache": "off"}))
        )
        kept = stack.enter_context(serving(create_app, settings))
        simple = stack.enter_context(serving(plain.make_app, database))
        every = asyncio.run(statements(database))
        everything = ["q", "country", "employment_type"]

        def http(port: int, root: str, names: Sequence[str]) -> Callable[[float], Load]:
            return lambda seconds: send(port, paths(root, names), CONNECTIONS, seconds)

        with on_core(1):
            loads = measure(
                {
                    "whole product, asked": http(asked, "/api/v1/jobs", everything),
                    "whole product, kept": http(kept, "/api/v1/jobs", everything),
                    "PostgreSQL alone": lambda seconds: uvloop.run(
                        replay(database, every, seconds)
                    ),
                    "plain": http(simple, "/jobs", ["q"]),
                    "hello": http(simple, "/hello", []),
                }
            )
        show(loads)


if __name__ == "__main__":
    until_no_one_reads(main)
