"""`jobboard up`: the whole product in one terminal, engines, web process and worker."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from textwrap import indent
from typing import Annotated, Any

import typer

from jobboard.cli.listening import address_of, listen, web_address
from jobboard.cli.processes import PYTHON, web_command, worker_command
from jobboard.cli.surroundings import (
    DataDirOption,
    environment,
    folder_of,
    named,
    own_settings,
    plain,
    settings_with,
)
from jobboard.infra.embedded import ALL, BoardError, DataDir
from jobboard.infra.embedded.crew import Crew, Engine, choose
from jobboard.infra.embedded.process import Program, complete, end_left_overs, ticks
from jobboard.infra.embedded.supervisor import supervise
from jobboard.settings import Settings

TAKEN = "is taken; stop what uses it, or choose another PORT"
READY_SECONDS = 30.0
LET_GO_SECONDS = 10.0  # what a board that is stopping, or another command, may still take
OURS = 1  # the stage of what uses the engines: it ends at once, and then they do
# Seconds for a request or a mail under way. With an engine's three, less than the ten promised.
OUR_GRACE = 5.0
# What other commands need to know of a running board.
TOLD = (*ALL, "secret_key", "storage_url", "base_url")

app = typer.Typer()


@app.command()
def up(
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    demo: Annotated[
        bool, typer.Option(envvar="DEMO", help="Fill an empty board with a demonstration.")
    ] = True,
    data_dir: DataDirOption = None,
) -> None:
    """Run the whole board until Ctrl-C, with an engine for each server that no setting names."""
    began = time.monotonic()
    folder = folder_of(data_dir)
    with (
        folder.locked("board", wait=LET_GO_SECONDS),
        listen(host, port, taken=f"of {host} {TAKEN}") as listener,
        folder.blaming_the_disk(),
    ):
        asyncio.run(_until_told(Up(folder, listener, demo, began).run()))
    say("Stopped.")  # pragma: no cover - coverage.py loses its place in a loop that is cancelled


@dataclass
class Up:
    """One run of a board."""

    folder: DataDir
    listener: socket.socket
    demo: bool
    began: float

    async def run(self) -> None:
        """Start everything in order, keep it running, stop what is ours and then the engines."""
        engines = choose(self.folder, [setting for setting in ALL if not named(setting)])
        self._settings(engines)  # a wrong setting should be told before anything is started
        crew = Crew(self.folder)
        try:
            await self._start(crew, engines)
            await supervise(crew, say)
        finally:
            with suppress(OSError):  # a full disk must not keep us from stopping
                self.folder.update(settings=None)
            await crew.stop()

    async def _start(self, crew: Crew, engines: list[Engine]) -> None:
        await end_left_overs(self.folder)
        async with crew.starting(engines) as started:
            # The slowest engine is not needed to migrate.
            if database := started.get("database_url"):
                await database
            await self._migrate(engines)
        settings = self._settings(engines)
        env = environment(settings) | {"PYTHONUNBUFFERED": "1"}
        log_ins = await self._demo(settings, env)
        await crew.launch(self._web(env))
        await self._ready()
        self.folder.update(settings={name: plain(settings, name) for name in TOLD})
        self._welcome(settings, log_ins)
        await crew.launch(self._worker(env))

    def _settings(self, engines: list[Engine]) -> Settings:
        found = {engine.setting: engine.url for engine in engines} | own_settings(self.folder)
        found["base_url"] = web_address(*address_of(self.listener))
        return settings_with(found)

    async def _migrate(self, engines: list[Engine]) -> None:
        # In a process of its own: its libraries would stay in our memory for good.
        env = environment(self._settings(engines))
        await complete("migrate", [*PYTHON, "jobboard.cli.main", "migrate"], env, self.folder)

    async def _demo(self, settings: Settings, env: dict[str, str]) -> str:
        """The demonstration's log-ins, made on the first start and kept for the next ones.

        Empty where somebody else's companies are on the board already.
        """
        kept = self.folder.root / "demo.txt"
        if not self.demo or settings.production:
            return ""
        if not kept.exists():
            demo = [*PYTHON, "jobboard.cli.main", "demo", "--if-empty"]
            log_ins = await complete("demo", demo, env, self.folder)
            kept.touch(mode=0o600)
            kept.write_text(log_ins, encoding="utf-8")
        return kept.read_text(encoding="utf-8")

    def _web(self, env: dict[str, str]) -> Program:
        # It gets our open socket: while it starts again, callers wait and are not refused.
        listener = self.listener.fileno()
        return Program(
            name="The web process",
            key="web",
            argv=web_command("--fd", str(listener)),
            cwd=self.folder.root,
            env=env,
            answers=self._lives,
            inherits=[listener],
            stage=OURS,
            stop_grace=OUR_GRACE,
            logged=False,
        )

    def _worker(self, env: dict[str, str]) -> Program:
        return Program(
            name="The worker",
            key="worker",
            argv=worker_command(concurrency=2, schedule=self.folder.run / "schedule"),
            cwd=self.folder.root,
            env=env,
            answers=_at_once,
            stage=OURS,
            stop_grace=OUR_GRACE,
            logged=False,
        )

    async def _lives(self) -> bool:
        status, _ = await self._get("/healthz")
        return status == "200"

    async def _ready(self) -> None:
        """Wait until the web process says that its engines answer. Raises BoardError."""
        answer = ""
        async for _ in ticks(READY_SECONDS):
            status, answer = await self._get("/readyz")
            if status == "200":
                return
        raise BoardError(f"the board is not ready: {answer}")

    async def _get(self, path: str) -> tuple[str, str]:
        """Status and body of a page of ours; the status is empty when nobody answers in time."""
        host, port = address_of(self.listener)
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
                    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return "", "no answer"
        return head[9:12], body

    def _welcome(self, settings: Settings, log_ins: str) -> None:
        seconds = time.monotonic() - self.began
        say(f"Jobboard is up at {settings.base_url} after {seconds:.1f} s. Ctrl-C stops it.")
        say(f"  API documentation: {settings.base_url}/api/docs")
        say(f"  Data: {self.folder.root}")
        if not plain(settings, "mongo_url"):
            say("  API hits are not kept: secantusdb is not installed, JOBBOARD_MONGO_URL not set.")
        if log_ins:
            say("  Log-ins of the demonstration:")
            say(indent(log_ins.rstrip(), "    "))


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run until Ctrl-C, SIGTERM or a closed terminal. Telling twice is telling once."""
    task = asyncio.ensure_future(work)
    told = asyncio.Event()

    def tell() -> None:
        if not told.is_set():
            told.set()
            say("Stopping.")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup the board outlives its terminal, as asked.
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, tell)
    try:
        await task
    except asyncio.CancelledError:
        if not told.is_set():
            raise
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Told twice is told once: what is left is only to leave.
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


def say(line: str) -> None:
    """Tell the person, if the terminal is still there."""
    try:
        typer.echo(line, err=True)
    except OSError:
        # Python would try to write what is left in the buffer once more, and fail, at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


async def _at_once() -> bool:
    return True
