"""A page of the search (twenty jobs, total, facets), by size, shape and number of clients.

SEARCH_SIZES=10000,100000 python -m benchmarks search
SEARCH_DATA=FOLDER[,FOLDER] ...: boards that `jobboard demo --jobs N --data-dir FOLDER` has filled

Each shape is measured in the same run beside its limit, tantivy's same page, and, without filters,
beside what one would write first: ORDER BY ts_rank. "ours" is `jobs.search.search` with all that
happens in Python, in a transaction of its own; tantivy runs in the process and answers from its own
stored cards. Times are of the wall, in ms. Tables and a plot go to benchmarks/results/.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from platform import python_version
from statistics import quantiles
from time import perf_counter
from typing import Any

import asyncpg
import uvloop
from sqlalchemy import text

from benchmarks.board import board
from benchmarks.output import until_no_one_reads
from benchmarks.search import limit
from benchmarks.search.plot import draw
from benchmarks.search.shapes import SHAPES, WORDS, Shape
from jobboard.demo import bulk
from jobboard.infra.embedded import engines
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.jobs.search import JobSearch, JobSearchResult, search

RESULTS = Path(__file__).parents[1] / "results"
SIZES = [int(size) for size in os.environ.get("SEARCH_SIZES", "10000,100000").split(",") if size]
KEPT = [Path(each) for each in os.environ.get("SEARCH_DATA", "").split(",") if each]
TURNS = int(os.environ.get("SEARCH_TURNS", "40"))
WARM, NAIVE, CLIENTS, LINE = 5, 3, 8, f"{'':34}" + "{:>8}" * 9
RANK = """
SELECT id FROM live_jobs
 WHERE search @@ websearch_to_tsquery('english', :q) AND expires_at > now()
 ORDER BY ts_rank('{0.1,0.2,0.4,1}', search, websearch_to_tsquery('english', :q)) DESC LIMIT 20
"""


class Table:
    """Lines that are shown as they come, and kept."""

    def __init__(self, name: str) -> None:
        RESULTS.mkdir(exist_ok=True)
        self.path = RESULTS / name
        self.path.write_text("", "utf-8")

    def add(self, line: str) -> None:
        print(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def spread(times: list[float]) -> tuple[float, float, float]:
    """p50, p95, p99."""
    cuts = quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


async def ask(database: Database, shape: Shape) -> JobSearchResult:
    async with database.transaction() as session:
        return await search(session, JobSearch(facets=True, **shape.query))


async def timed(
    database: Database, shape: Shape, turns: int
) -> tuple[list[float], JobSearchResult]:
    took = []
    for turn in range(turns + WARM):
        began = perf_counter()
        result = await ask(database, shape)
        if turn >= WARM:
            took.append((perf_counter() - began) * 1000)
    return took, result


async def crowd(database: Database, shape: Shape) -> tuple[float, float]:
    """p50 of eight clients at once, and pages a second."""
    began = perf_counter()
    turns = max(TURNS // 2, 10)
    all_took = await asyncio.gather(*(timed(database, shape, turns) for _ in range(CLIENTS)))
    seconds = perf_counter() - began
    took = [each for some, _ in all_took for each in some]
    return spread(took)[0], CLIENTS * (turns + WARM) / seconds


def by_limit(index: Any, shape: Shape) -> tuple[list[float], int]:
    asked, took, count = limit.query(index, shape), [], 0
    for turn in range(TURNS + WARM):
        began = perf_counter()
        count, _, _ = limit.page(index, asked)
        if turn >= WARM:
            took.append((perf_counter() - began) * 1000)
    return took, count


async def naive(database: Database, shape: Shape) -> float:
    """The best of a few: it takes its time."""
    took = []
    async with database.engine.connect() as connection:
        await connection.execute(text("SET work_mem = '64MB'"))
        for _ in range(NAIVE):
            began = perf_counter()
            await connection.execute(text(RANK), {"q": WORDS[shape.words]})
            took.append((perf_counter() - began) * 1000)
        await connection.rollback()
    return min(took)


async def measure(url: str, folder: Path, table: Table) -> dict[str, tuple[int, float]]:
    """One board; the number of its jobs and p50 by the shapes without filters."""
    database = Database(url, statement_timeout_ms=120_000)
    async with bulk.connected(url) as connection:
        size = await connection.fetchval("SELECT count(*) FROM live_jobs")
        index = await limit.build(connection, folder)
    table.add(f"\n{size:,} live jobs")
    table.add(
        LINE.format("found", "p50", "p95", "p99", "tantivy", "ratio", "8: p50", "pages/s", "naive")
    )
    p50s: dict[str, tuple[int, float]] = {}
    for shape in SHAPES:
        took, result = await timed(database, shape, TURNS)
        limits, number = by_limit(index, shape)
        mid, slow, slowest = spread(took)
        best = spread(limits)[0]
        many, rate, plain = "", "", ""
        if not shape.filters:
            p50s[shape.name] = (size, mid)
            p50, each = await crowd(database, shape)
            many, rate = f"{p50:.1f}", f"{each:.0f}"
            if not WORDS[shape.words].endswith("*"):
                plain = f"{await naive(database, shape):.0f}"
        sign = "" if result.total.relation == "eq" else "+"
        cells = (
            f"{number:,}", f"{mid:.2f}", f"{slow:.2f}", f"{slowest:.2f}", f"{best:.2f}",
            f"{mid / best:.2f}x", many, rate, plain,
        )  # fmt: skip
        line = LINE.format(*cells)
        said = f"{result.total.value:,}{sign}"
        table.add(f"{shape.name:26}{said:>8}{line[34:]}")
    await database.close()
    return p50s


@contextmanager
def filled(size: int) -> Generator[str]:
    """A board of this benchmark's own."""
    with board("database_url") as settings:
        url = settings.database_url.get_secret_value()
        filling = asyncio.run(_fill(url, size))
        print(f"filled: {filling}")
        yield url


async def _fill(url: str, size: int) -> bulk.Filling:
    filling = await bulk.copy(url, seed=1, first=0, jobs=size, days=60, progress=lambda _: None)
    filling.indexing = await bulk.index(url)
    return filling


@contextmanager
def kept(folder: Path) -> Generator[str]:
    with engines(folder, needed=["database_url"]) as urls:
        upgrade(urls.database_url)
        yield urls.database_url


def main() -> None:
    """Each board in turn, then the plot."""
    table = Table("search.txt")
    table.add(f"Python {python_version()}, asyncpg {asyncpg.__version__}, "
              f"tantivy {limit.engine().__version__}; ms, {TURNS} times each")  # fmt: skip
    boards: list[tuple[Callable[[Any], Any], Any]] = [(kept, folder) for folder in KEPT]
    if not KEPT:
        boards = [(filled, size) for size in SIZES]
    lines: dict[str, dict[int, float]] = {}
    for make, what in boards:
        with tempfile.TemporaryDirectory() as own, make(what) as url:
            folder = what / "tantivy" if isinstance(what, Path) else Path(own)
            folder.mkdir(exist_ok=True)
            p50s = uvloop.run(measure(url, folder, table))
        for name, (size, ms) in p50s.items():
            lines.setdefault(name, {})[size] = ms
    draw(RESULTS / "search.svg", lines)
    for name, line in lines.items():
        sizes = sorted(line)
        for smaller, larger in pairwise(sizes):
            table.add(f"{name}: {line[larger] / line[smaller]:.2f}x from {smaller:,} to {larger:,}")
    print(f"\nKept in {RESULTS}")


if __name__ == "__main__":
    until_no_one_reads(main)
