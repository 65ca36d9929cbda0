"""`jobboard demo`: a board with something on it."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.demo.board import fill, is_empty
from jobboard.demo.people import DemoLogins
from jobboard.infra.storage import Storage
from jobboard.settings import Settings

app = typer.Typer()

STATEMENT_MS = 60_000  # five hundred jobs, indexed, on a slow disk
BAR_FROM = 2_000  # jobs; fewer are there before a bar could be read


@app.command()
def demo(
    jobs: Annotated[int, typer.Option(min=1, help="How many jobs.")] = 120,
    seed: Annotated[int, typer.Option(help="Another number, other ads.")] = 1,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing on a board that has companies.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Put invented companies, jobs, people and applications on the board. Not in production."""
    with board(data_dir, ["database_url"]) as settings, _progress(jobs) as progress:
        logins = asyncio.run(_fill(settings, jobs, seed, if_empty, progress))
    if logins:
        for role in ("candidate", "employer", "admin"):
            typer.echo(f"{role:<9}  {getattr(logins, role)}  {logins.password}")


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
