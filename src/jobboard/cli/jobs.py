"""`jobboard import`: jobs from applicant tracking systems and from files of ads."""

import asyncio
import gc
import gzip
import json
import multiprocessing
import signal
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.clock import now
from jobboard.errors import Invalid, TooLarge
from jobboard.infra.richtext import each_html_and_text
from jobboard.jobs.importing import ashby, greenhouse, jsonl, lever
from jobboard.jobs.importing.model import ImportedJob, Reader, Reading, Rejected
from jobboard.jobs.importing.service import Summary, import_jobs
from jobboard.settings import Settings

app = typer.Typer()

MAX_BYTES = 64 * 2**20  # of a file or an answer, packed and unpacked
_GZIP = b"\x1f\x8b"
_STATEMENT_MS = 60_000  # two hundred long ads, indexed, on a slow disk


KINDS = (
    "What the source is: greenhouse, lever or ashby for what the public job list of such a "
    "system answers, jsonl for ads as JSON, one on each line."
)
OLD = timedelta(days=365)


class Kind(StrEnum):
    """Whose answer, or which format, the source is."""

    GREENHOUSE = "greenhouse"
    LEVER = "lever"
    ASHBY = "ashby"
    JSONL = "jsonl"


READERS: dict[Kind, Reader] = {
    Kind.GREENHOUSE: greenhouse.read_all,
    Kind.LEVER: lever.read_all,
    Kind.ASHBY: ashby.read_all,
    Kind.JSONL: jsonl.read_all,
}


@app.command("import")
def import_(
    kind: Annotated[Kind, typer.Argument(help=KINDS)],
    source: Annotated[str, typer.Argument(help="A file (.gz too) or an https address.")],
    company: Annotated[
        str | None, typer.Option(help="Whose jobs they are, where the source does not say.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write rows that are not taken there, with the reasons.")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Take jobs in and publish them. The same source again changes nothing.

    Rows that cannot be used are counted and do not make the command fail. Ads that were posted
    more than a year ago are taken, and counted as well.
    """
    readings = READERS[kind](_read(source), company)
    first = list(islice(readings, 1))  # a source of another kind fails here, before engines start
    with ExitStack() as stack:
        renderer = stack.enter_context(_second_process())
        settings = stack.enter_context(board(data_dir, ["database_url"]))
        reject = stack.enter_context(_rejects(rejects))
        progress = stack.enter_context(_progress())
        rows = _Aged(chain(first, readings))
        summary = asyncio.run(_import(settings, rows, reject, progress, renderer))
    typer.echo(
        f"{summary.created} created, {summary.updated} updated, "
        f"{summary.unchanged} unchanged, {summary.rejected} rejected"
    )
    if rows.old:
        were = "was" if rows.old == 1 else "were"
        typer.echo(f"jobboard: {rows.old} {were} posted more than a year ago", err=True)
    if summary.rejected and not rejects:
        typer.echo("jobboard: --rejects FILE lists what was rejected, and why", err=True)


def _second_process() -> ProcessPoolExecutor:
    """A process that renders while this one reads. Ctrl-C is for this one to hear."""
    # A copy of this one, which has loaded all that it needs. That is safe as long as there are no
    # threads and no connections yet, so the process is made here and not when it is first used.
    # What is loaded stays: neither of the two need look through it for garbage, or copy its pages.
    gc.freeze()
    copy = multiprocessing.get_context("fork")
    ignore = (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(1, copy, initializer=signal.signal, initargs=ignore)
    pool.submit(each_html_and_text, [])
    return pool


class _Aged:
    """Rows on their way, and how many of the ads among them are old."""

    def __init__(self, rows: Iterable[Reading]) -> None:
        self.rows = rows
        self.old = 0

    def __iter__(self) -> Iterator[Reading]:
        before = now() - OLD
        for row in self.rows:
            if isinstance(row, ImportedJob) and row.posted_at and row.posted_at < before:
                self.old += 1
            yield row


@contextmanager
def _rejects(path: Path | None) -> Generator[Callable[[Rejected], None]]:
    """Somewhere to put rejected rows: a file of JSON lines, or nowhere."""
    if path is None:
        yield lambda _: None
        return
    with path.open("w", encoding="utf-8") as file:
        yield lambda row: print(json.dumps(asdict(row), default=str), file=file)


@contextmanager
def _progress() -> Generator[Callable[[int], None]]:
    """A count of rows that moves, where somebody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Progress(SpinnerColumn(), TextColumn("{task.completed} rows"), console=console) as bar:
        task = bar.add_task("import", total=None)
        yield lambda done: bar.update(task, completed=done)


def _read(source: str) -> bytes:
    """The bytes of a file or an address, unpacked."""
    if "://" in source:
        # An import here: the HTTP client takes a fifth of a second that a file need not wait for.
        from jobboard.infra.outbound import fetch

        data = asyncio.run(fetch(source, max_bytes=MAX_BYTES))
    else:
        with Path(source).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    if data.startswith(_GZIP):
        data = _unpacked(data, source)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{source} is larger than {MAX_BYTES // 2**20} MB. Split it, please.")
    return data


def _unpacked(data: bytes, source: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(f"{source} is no whole gzip file: {error}") from None


async def _import(
    settings: Settings,
    readings: Iterable[Reading],
    reject: Callable[[Rejected], None],
    progress: Callable[[int], None],
    renderer: Executor,
) -> Summary:
    try:
        async with (
            open_database(settings, statement_timeout_ms=_STATEMENT_MS) as database,
            database.transaction() as session,
        ):
            return await import_jobs(
                session, readings, settings, reject=reject, progress=progress, renderer=renderer
            )
    except BrokenProcessPool:
        raise Invalid(
            "A process that this one had started was killed: is memory short? Nothing was imported."
        ) from None
