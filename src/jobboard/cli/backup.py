"""`jobboard backup` and `jobboard restore`: a whole board into one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from jobboard.backup import service
from jobboard.backup.service import Counts
from jobboard.cli.board import board
from jobboard.cli.surroundings import DataDirOption, named

MEGABYTE = 1_000_000
OWN_SERVERS = ("database_url", "storage_url")

app = typer.Typer()


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; nothing may be there yet.")],
    data_dir: DataDirOption = None,
) -> None:
    """Write rows, hits and files into one file. The board may run meanwhile.

    The file appears when it is whole. Settings and the secret key are not in it: keep them apart.
    """
    with board(data_dir, _needed()) as settings:
        counts = service.back_up(settings, file)
    size = file.stat().st_size / MEGABYTE
    typer.echo(f"Backed up {_told(counts)} to {file} ({size:.1f} MB).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `jobboard backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Into a board that is not empty: lose what it holds.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the file, and say whether it is whole.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Fill an empty board that does not run with what a file holds, and bring it up to date."""
    if check:
        head, _ = service.check(file)
        made = f"{head.made_at:%Y-%m-%d %H:%M} UTC by Jobboard {head.version}"
        typer.echo(f"{file} is whole, made {made}.")
        return
    with board(data_dir, _needed()) as settings:
        restored = service.restore(settings, file, replace=replace)
    typer.echo(
        f"Restored {_told(restored.counts)}, as of {restored.head.made_at:%Y-%m-%d %H:%M} UTC."
    )
    for hint in restored.hints:
        typer.echo(hint, err=True)


def _needed() -> list[str]:
    """A server's board has a MongoDB if its settings say so; the one of a folder has its own."""
    return ["database_url"] if all(map(named, OWN_SERVERS)) else ["database_url", "mongo_url"]


def _told(counts: Counts) -> str:
    rows, documents = sum(counts.rows.values()), sum(counts.documents.values())
    size = counts.bytes / MEGABYTE
    return f"{rows:,} rows, {documents:,} documents and {counts.files:,} files ({size:.1f} MB)"
