"""`jobboard serve`, `worker` and `beat`: one process each, where something else supervises."""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated

import typer

from jobboard.cli.board import board
from jobboard.cli.listening import address_of, listen, web_address
from jobboard.cli.processes import beat_command, web_command, worker_command
from jobboard.cli.surroundings import DataDirOption, environment
from jobboard.infra.embedded.process import become

TAKEN = "is taken; choose another with --port or PORT"

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65535)] = 8000,
    data_dir: DataDirOption = None,
) -> None:
    """Run one web process on a board that `jobboard migrate` has brought up to date."""
    with listen(host, port, taken=TAKEN) as listener, board(data_dir) as settings:
        argv = web_command("--fd", str(listener.fileno()))
        _foreground(argv, environment(settings), listener)


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


@app.command()
def beat(
    schedule: Annotated[Path, typer.Option(help="Where it keeps its state.")],
    data_dir: DataDirOption = None,
) -> None:
    """Run the schedule alone, beside workers that run without one."""
    with board(data_dir) as settings:
        _foreground(beat_command(schedule), environment(settings))


def _foreground(
    argv: Sequence[str], env: Mapping[str, str], listener: socket.socket | None = None
) -> None:
    """Run it to its end. It gets our signals and open port, and hands us its exit code."""
    argv = [*become(None, "--pdeathsig=TERM"), *argv]
    handed_on = [] if listener is None else [listener.fileno()]
    with subprocess.Popen(argv, env=env, pass_fds=handed_on) as process:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: process.send_signal(received))
        signal.signal(signal.SIGINT, lambda *_: None)  # the terminal tells the child as well
        if listener is not None:
            address = address_of(listener)
            listener.close()  # the child's alone now: nobody waits at a door without a house
            _say_when_it_answers(process, address)
        status = process.wait()
    raise typer.Exit(status if status >= 0 else 128 - status)


def _say_when_it_answers(process: subprocess.Popen[bytes], address: tuple[str, int]) -> None:
    while process.poll() is None:
        if _answers(address):
            typer.echo(f"Jobboard listens at {web_address(*address)}. Ctrl-C stops it.", err=True)
            break
        time.sleep(0.05)


def _answers(address: tuple[str, int]) -> bool:
    connection = HTTPConnection(*address, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
