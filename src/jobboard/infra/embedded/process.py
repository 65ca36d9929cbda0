"""Child processes that end when we end, and the search for those that outlived us."""

import asyncio
import json
import os
import shutil
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pwd import struct_passwd

from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.errors import BoardError

REMINDER = 0.4  # seconds
LEFT_OVER_GRACE = 8.0  # seconds that children of a killed board get to end by themselves


@dataclass(frozen=True)
class Program:
    """What to run, how to tell that it answers, and how to end it."""

    name: str  # as a person reads it
    key: str  # as files are called
    argv: Sequence[str]
    cwd: Path
    answers: Callable[[], Awaitable[bool]]
    env: Mapping[str, str]
    account: struct_passwd | None = None  # whom to become
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace: float = 3.0  # seconds until it is killed
    stage: int = 0  # what has the highest is stopped first
    inherits: Sequence[int] = ()  # open descriptors that it gets
    patience: float = 60.0  # seconds until it must answer
    hard_of_hearing: bool = False  # see _remind
    logged: bool = True  # to logs/KEY.log; otherwise to our standard error


@dataclass
class Child:
    """A program that runs."""

    program: Program
    process: Process
    folder: DataDir

    @classmethod
    async def spawn(cls, program: Program, folder: DataDir) -> "Child":
        """Start it in a session of its own: the terminal's Ctrl-C reaches only us."""
        output = folder.open_log(program.key) if program.logged else None
        try:
            process = await asyncio.create_subprocess_exec(
                *_wrapped(program),
                stdin=DEVNULL,
                stdout=2 if output is None else output,
                stderr=output,
                cwd=program.cwd,
                env=program.env,
                start_new_session=True,
                pass_fds=program.inherits,
            )
        finally:
            if output is not None:
                os.close(output)
        _remember(folder, program, process.pid)
        return cls(program, process, folder)

    async def ready(self) -> None:
        """Wait until it answers. Raises BoardError if it ends first or takes too long."""
        answer = asyncio.create_task(self._answer())
        end = asyncio.create_task(self.process.wait())
        done, waiting = await asyncio.wait(
            (answer, end), timeout=self.program.patience, return_when=asyncio.FIRST_COMPLETED
        )
        for task in waiting:
            task.cancel()
        if answer not in done or end in done:
            raise BoardError(f"{self.program.name} did not start; {self.where_to_look()}")

    async def _answer(self) -> None:
        async for _ in ticks(self.program.patience):
            if await self.program.answers():
                break

    def where_to_look(self) -> str:
        """Names the log and its last word."""
        if not self.program.logged:
            return "its last lines above say why"
        key = self.program.key
        return f"see {self.folder.logs / key}.log: {last_word(self.folder, key)}"

    async def stop(self) -> bool:
        """Ask it to end, then make it. Whether asking was enough."""
        with suppress(ProcessLookupError):
            self.process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self._end(), self.program.stop_grace)
            return True
        except TimeoutError:
            _kill_group(self.process.pid)
            await self.process.wait()
            return False
        finally:
            self.forget()

    async def _end(self) -> None:
        if self.program.hard_of_hearing:
            await self._remind()
        await self.process.wait()

    async def _remind(self) -> None:
        """For a Python server with an accepting thread: that one ends only with its next caller,
        and a signal that comes just before the main thread waits is not seen until another does.
        """
        told = time.monotonic()
        async for _ in ticks(self.program.stop_grace):
            if self.process.returncode is not None:
                break
            await self.program.answers()
            if time.monotonic() > told + REMINDER:
                told = time.monotonic()
                with suppress(ProcessLookupError):
                    self.process.send_signal(self.program.stop_signal)

    def forget(self) -> None:
        """It is gone: nothing of it is to be looked for."""
        _kill_group(self.process.pid)
        _pid_file(self.folder, self.program.key).unlink(missing_ok=True)


async def ticks(seconds: float) -> AsyncIterator[None]:
    """Moments to look at something that cannot be awaited: soon at first, then less often."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while time.monotonic() < deadline:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, 0.2)


async def complete(key: str, argv: Sequence[str], env: Mapping[str, str], folder: DataDir) -> str:
    """Run a program to its end for what it prints. Raises BoardError with its last word."""
    log = folder.open_log(key)
    try:
        process = await asyncio.create_subprocess_exec(
            *become(None, "--pdeathsig=TERM"),
            *argv,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=log,
            env=env,
            start_new_session=True,
        )
    finally:
        os.close(log)
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        _kill_group(process.pid)
        await process.wait()
        raise
    if process.returncode:
        raise BoardError(last_word(folder, key).removeprefix("jobboard: "))
    return output.decode(errors="replace")


def last_word(folder: DataDir, key: str) -> str:
    """The line of a log that is most likely to say why a program ended."""
    with (folder.logs / f"{key}.log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
        lines = log.read().decode(errors="replace").strip().splitlines() or ["it is empty"]
    return next((line for line in reversed(lines[-20:]) if "FATAL" in line), lines[-1])


def become(account: struct_passwd | None, *options: str) -> list[str]:
    """The start of a command line that runs the rest as `account`. Raises BoardError."""
    setpriv = shutil.which("setpriv")
    if setpriv is None and account is not None:
        raise BoardError(
            "PostgreSQL does not run as root and `setpriv` (util-linux) is missing; "
            "install it, or run this as an ordinary user"
        )
    if setpriv is None or not (account or options):
        return []
    identity = []
    if account is not None:
        identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return [setpriv, *options, *identity, "--"]


def _wrapped(program: Program) -> list[str]:
    """`argv`, and a word to the kernel to tell it when we are gone."""
    signal_name = program.stop_signal.name.removeprefix("SIG")
    return [*become(program.account, f"--pdeathsig={signal_name}"), *program.argv]


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _pid_file(folder: DataDir, key: str) -> Path:
    return folder.run / f"{key}.json"


def _remember(folder: DataDir, program: Program, pid: int) -> None:
    known = {"pid": pid, "started": _started(pid), "signal": program.stop_signal.value}
    _pid_file(folder, program.key).write_text(json.dumps(known), encoding="utf-8")


def _started(pid: int) -> str | None:
    """Tells a process from a later one with its number: the boot, and the tick it began."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else f"{boot}:{fields[18]}"


async def end_left_overs(folder: DataDir) -> None:
    """End what a killed board left running, and nothing that is not surely ours."""
    left = _left_over(folder)
    for pid, _, stop_signal in left:
        with suppress(ProcessLookupError):
            os.kill(pid, stop_signal)
    async for _ in ticks(LEFT_OVER_GRACE):
        if not any(_started(pid) == started for pid, started, _ in left):
            break
    for pid, started, _ in left:
        if _started(pid) == started:
            _kill_group(pid)


def _left_over(folder: DataDir) -> list[tuple[int, str, int]]:
    """The number, start and stop signal of each process that is still the one we started."""
    left = []
    for path in folder.run.glob("*.json"):
        with suppress(ValueError, KeyError):  # half written when the machine stopped
            known = json.loads(path.read_text(encoding="utf-8"))
            if known["started"] is not None and known["started"] == _started(known["pid"]):
                left.append((known["pid"], known["started"], known["signal"]))
        path.unlink()
    return left
