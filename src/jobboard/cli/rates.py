"""`jobboard rates`: the exchange rates by which pay is compared, shown and loaded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from jobboard.admin import exchange
from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.errors import Invalid
from jobboard.infra.postgres import Database
from jobboard.jobs.exchange import rates
from jobboard.jobs.exchange.eurofxref import BANK, MAX_BYTES, Rate, read
from jobboard.jobs.exchange.rates import ExchangeRate
from jobboard.settings import Settings

app = typer.Typer()

_STATEMENT_MS = 60_000  # the bank's whole history, and the saved searches that it concerns
FILE = (
    "Load the rates of this file: eurofxref.zip or eurofxref-hist.zip of the European Central "
    "Bank, or what is written so."
)


@app.command("rates")
def show_rates(
    file: Annotated[Path | None, typer.Argument(help=FILE)] = None,
    source: Annotated[str, typer.Option(help="With FILE: who says so.")] = BANK,
    data_dir: DataDirOption = None,
) -> None:
    """What one euro is in other currencies, by which searches compare pay: the newest of each."""
    given = _read(file) if file else None
    source = " ".join(source.split())
    if not source:
        raise Invalid("Say whose rates these are: --source TEXT.")
    with board(data_dir, ["database_url"]) as settings:
        known, told = asyncio.run(_run(settings, given, source))
    for rate in known:
        typer.echo(f"{rate.currency} {rate.per_euro:>12f}  {rate.day}  {rate.source}")
    for line in told:
        typer.echo(f"jobboard: {line}", err=True)


def _read(file: Path) -> list[Rate]:
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Invalid(f"{file} is larger than {MAX_BYTES // 2**20} MB.")
    return read(data)


async def _run(
    settings: Settings, given: list[Rate] | None, source: str
) -> tuple[Sequence[ExchangeRate], list[str]]:
    """The newest rates, and what there is to tell of those that were given."""
    async with open_database(settings, statement_timeout_ms=_STATEMENT_MS) as database:
        told = [line async for line in _load(database, given, source)] if given else []
        async with database.transaction() as session:
            return await rates.newest(session), told


async def _load(database: Database, given: list[Rate], source: str) -> AsyncIterator[str]:
    async with database.transaction() as session:
        loaded = await exchange.load(session, given, source)
    yield f"{loaded} of {len(given)} rates are new"
    # Of an earlier call, too, that did not come so far.
    if jobs := await _fix(database, sorted({rate.currency for rate in given})):
        yield f"jobs that can be compared from now on: {jobs}"


async def _fix(database: Database, currencies: list[str]) -> int:
    """In batches, so that nobody waits for long."""
    jobs, last = 0, UUID(int=0)
    while True:
        async with database.transaction() as session:
            fixed = await rates.fix(session, currencies, last)
        if not fixed:
            return jobs
        jobs, last = jobs + len(fixed), fixed[-1]
