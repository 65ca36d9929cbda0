"""`jobboard serve` and `jobboard worker`: one process each, where something else supervises."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from jobboard.cli.board import board
from jobboard.cli.processes import web_command, worker_command
from jobboard.cli.surroundings import DataDirOption, environment
from jobboard.infra.embedded.process import become

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65535)] = 8000,
    data_dir: DataDirOption = None,
) -> None:
    """Run one web process on a board that `jobboard migrate` has brought up to date."""
    with board(data_dir) as settings:
        _foreground(web_command("--host", host, "--port", str(port)), environment(settings))


@app.command()
def worker(
    concurrency: Annotated[int, typer.Option(min=1, help="Messages worked on at once.")] = 2,
    schedule: Annotated[
        Path | None,
        typer.Option(help="Also run the schedule, and keep its state in this file."),
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Run one worker, which delivers what waits in the queue."""
    with board(data_dir) as settings:
        _foreground(
            worker_command(concurrency=concurrency, schedule=schedule), environment(settings)
        )


def _foreground(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run it to its end. It gets our signals and hands us its exit code."""
    with subprocess.Popen([*become(None, "--pdeathsig=TERM"), *argv], env=env) as process:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: process.send_signal(received))
        signal.signal(signal.SIGINT, lambda *_: None)  # the terminal tells the child as well
        status = process.wait()
    raise typer.Exit(status if status >= 0 else 128 - status)
