"""`jobboard demo`: a board with something on it, or with a million jobs."""

import asyncio
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.demo import bulk
from jobboard.demo.board import fill, is_empty
from jobboard.demo.people import DemoLogins
from jobboard.infra import freshness
from jobboard.infra.storage import Storage
from jobboard.settings import Settings

app = typer.Typer()

STATEMENT_MS = 60_000  # five hundred jobs, indexed, on a slow disk
BAR_FROM = 2_000  # jobs; fewer are there before a bar could be read
BY_HAND = 500  # jobs with a history, applications and stories; more are written by the mill
BULK_FROM = 5_000  # fewer do not need the mill


@app.command()
def demo(
    jobs: Annotated[int, typer.Option(min=1, help="How many jobs.")] = 120,
    seed: Annotated[int, typer.Option(help="Another number, other ads.")] = 1,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing on a board that has companies.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Put invented companies, jobs, people and applications on the board. Not in production.

    From 5,000 jobs on they are copied without indexes, which are built at the end; only where all
    other jobs are the demo's, too. It may be stopped and run again: it goes on where it ended.
    """
    with board(data_dir, ["database_url"]) as settings:
        url = settings.database_url.get_secret_value()
        many = jobs >= BULK_FROM
        if many:
            asyncio.run(bulk.require_a_demo_board(url))
        with _progress(jobs) as progress:
            few = BY_HAND if many else jobs
            logins = asyncio.run(_fill(settings, few, seed, if_empty, progress))
            filling = _add(settings, url, seed, jobs, progress) if many and logins else None
    if filling:
        typer.echo(filling, err=True)
    if logins:
        for role in ("candidate", "employer", "admin"):
            typer.echo(f"{role:<9}  {getattr(logins, role)}  {logins.password}")


def _add(
    settings: Settings, url: str, seed: int, jobs: int, progress: Callable[[int], None]
) -> bulk.Filling:
    """The rest of so many jobs; the indexes are there again, however it ends."""
    days, filling = settings.job_days, bulk.Filling()
    try:
        adding = bulk.copy(url, seed=seed, first=BY_HAND, jobs=jobs, days=days, progress=progress)
        filling = asyncio.run(adding)
    finally:
        filling.indexing = asyncio.run(bulk.index(url, busy=_say_indexes))
        asyncio.run(_outdate(settings))
    return filling


def _say_indexes() -> None:
    stopped = "" if sys.exc_info()[0] is None else "Stopped. What is there stays. "
    typer.echo(f"{stopped}Building the indexes ...", err=True)


async def _outdate(settings: Settings) -> None:
    """Nobody is told kept answers any more."""
    async with open_database(settings) as database, database.transaction() as session:
        freshness.outdate(session, freshness.JOBS, freshness.PAGES)


async def _fill(
    settings: Settings, jobs: int, seed: int, if_empty: bool, progress: Callable[[int], None]
) -> DemoLogins | None:
    # Ads are written between statements, and a slow machine takes its time: it may rest for ever.
    patience = {"statement_timeout_ms": STATEMENT_MS, "idle_timeout_ms": 0}
    async with (
        open_database(settings, **patience) as database,
        database.transaction() as session,
    ):
        if if_empty and not await is_empty(session):
            return None
        storage = Storage(settings.storage_url)
        return await fill(session, storage, settings, jobs=jobs, seed=seed, progress=progress)


@contextmanager
def _progress(jobs: int) -> Generator[Callable[[int], None]]:
    """A bar, for long work that somebody watches."""
    console = Console(stderr=True)
    if jobs < BAR_FROM or not console.is_terminal:
        yield lambda _: None
        return
    with Progress(console=console) as bar:
        task = bar.add_task("jobs", total=jobs)
        yield lambda done: bar.update(task, completed=done)
