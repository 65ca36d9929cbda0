"""Fills a board with ads by the million: by COPY, without indexes, which are built afterwards.

    await bulk.require_a_demo_board(url)
    try:
        await bulk.copy(url, seed=1, first=500, jobs=1_000_000, days=60, progress=bar)
    finally:
        await bulk.index(url)

Chunks of ads are transactions of their own, so a run may be stopped at any moment, and another one
goes on where it ended. The indexes that were left out are made again at the end, also of a run
that is interrupted; one that was killed leaves that to the next run or the next `jobboard migrate`.
Memory does not grow with the number of ads.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import asyncpg

from jobboard.clock import now
from jobboard.demo.jobs import SOURCE
from jobboard.demo.mill import CHUNK, COLUMNS, Mill, company_count, company_rows
from jobboard.errors import Conflict
from jobboard.infra import leftout

AT_ONCE = 2  # COPYs: one writes ads while the server indexes the words of another's
TABLE, TABLES = "jobs", ("jobs", "live_jobs")
COMPANY_COLUMNS = ("name", "slug", "website", "description", "description_html", "created_at")
OTHERS = f"SELECT EXISTS (SELECT FROM {TABLE} WHERE source IS DISTINCT FROM '{SOURCE}')"
THERE = f"SELECT external_id FROM {TABLE} WHERE source = '{SOURCE}' AND external_id = ANY($1)"
NUMBERS = "SELECT id, website FROM companies WHERE website = ANY($1)"


@dataclass
class Filling:
    """How a run went: ads that it added, and the seconds of its two halves."""

    added: int = 0
    copying: float = 0.0
    indexing: float = 0.0

    def __str__(self) -> str:
        whole = self.copying + self.indexing
        return (
            f"{self.added:,} jobs: copied in {self.copying:,.0f} s"
            f" ({self.added / max(self.copying, 0.001):,.0f} a second), indexes in"
            f" {self.indexing:,.0f} s; together {self.added / max(whole, 0.001):,.0f} a second"
        )


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may take its time, and need not wait for the disk at each commit."""
    settings = {"timezone": "UTC", "synchronous_commit": "off", "statement_timeout": "0"}
    connection = await asyncpg.connect(url, timeout=10, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def require_a_demo_board(url: str) -> None:
    """Raise Conflict where somebody's own jobs are: without indexes, their board would crawl."""
    async with connected(url) as connection:
        others = await connection.fetchval(OTHERS)
    if others:
        raise Conflict(
            "There are jobs on this board that are not the demo's. So many are only added to "
            "an empty board, or to one of the demo: name another folder with --data-dir.",
            code="demo_on_a_used_board",
        )


async def copy(
    url: str, *, seed: int, first: int, jobs: int, days: int, progress: Callable[[int], None]
) -> Filling:
    """Add the ads from number `first` on, until there are `jobs`; those that are there stay.

    The caller makes the indexes again, by `index`, however this ends. Raises Conflict.
    """
    began = monotonic()
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(url)) for _ in range(AT_ONCE)]
        if not await stack.enter_async_context(leftout.alone(connections[0])):
            raise Conflict(
                "Another run fills this board, or makes its indexes. Wait for its end.",
                code="demo_runs_already",
            )
        mill = Mill(seed, await _companies(connections[0], seed, jobs), jobs, now(), days)
        for table in TABLES:
            await leftout.leave_out(connections[0], table)
        run = _Run(mill, _chunks(first, jobs), progress, first)
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(run.work(connection))
    return Filling(run.added, monotonic() - began)


async def index(url: str, *, busy: Callable[[], None] = lambda: None) -> float:
    """Make the indexes that are missing, and let the planner know the table; the seconds."""
    began = monotonic()
    async with connected(url) as connection:
        async with leftout.alone(connection) as mine:
            if not mine or not await leftout.waiting(connection):
                return 0.0
            busy()
            await leftout.make_again(connection)
        for table in TABLES:
            await connection.execute(f"VACUUM (ANALYZE) {table}")
    return monotonic() - began


@dataclass
class _Run:
    """Several connections that take chunks from one list."""

    mill: Mill
    chunks: Iterator[tuple[int, int]]
    progress: Callable[[int], None]
    done: int
    added: int = 0

    async def work(self, connection: asyncpg.Connection) -> None:
        for begin, end in self.chunks:
            ids = [self.mill.external_id(number) for number in range(begin, end)]
            there = {row[0] for row in await connection.fetch(THERE, ids)}
            if len(there) < len(ids):
                rows = (row for row in self.mill.rows(begin, end) if row[-1] not in there)
                await connection.copy_records_to_table(TABLE, records=rows, columns=COLUMNS)
                self.added += len(ids) - len(there)
            self.done += len(ids)
            self.progress(self.done)


def _chunks(first: int, last: int) -> Iterator[tuple[int, int]]:
    while first < last:
        end = min(first - first % CHUNK + CHUNK, last)
        yield first, end
        first = end


async def _companies(connection: asyncpg.Connection, seed: int, jobs: int) -> dict[int, UUID]:
    """The ids of the companies by their numbers; those that are missing are made."""
    rows = list(company_rows(seed, company_count(jobs), now()))
    numbers = {website: number for number, (_, _, website, *_) in enumerate(rows)}
    there = {row["website"] for row in await connection.fetch(NUMBERS, list(numbers))}
    new = [row for row in rows if row[2] not in there]
    await connection.copy_records_to_table("companies", records=new, columns=COMPANY_COLUMNS)
    return {
        numbers[row["website"]]: row["id"] for row in await connection.fetch(NUMBERS, list(numbers))
    }
