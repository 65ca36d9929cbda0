"""Real boards for end-to-end tests: start them, hear what they say, find their processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Self

STARTING = 90.0  # seconds, for a machine that does much else meanwhile
STOPPING = 10.0  # seconds, promised


class Board:
    """A running `jobboard up`. Leaving the block kills what is left of it."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        self.folder = folder
        self.port = port
        self._lines: Queue[str] = Queue()
        self.process = subprocess.Popen(
            jobboard("up"),
            stderr=subprocess.PIPE,
            env=environment(folder, PORT=str(port), **settings),
            text=True,
        )
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line.rstrip())

    def hear(self, text: str, seconds: float = STARTING) -> str:
        """The next line that has `text` in it."""
        deadline = time.monotonic() + seconds
        said = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                said.append(self._lines.get(timeout=left))
            except Empty:
                break
            if text in said[-1]:
                return said[-1]
        raise AssertionError(f"never said {text!r}, only {said}")

    def processes(self) -> list[int]:
        """Its children: all of them, and nothing else, work in its folder."""
        return [
            int(link.parent.name)
            for link in Path("/proc").glob("[0-9]*/cwd")
            if _inside(link, self.folder)
        ]

    def pid(self, program: str) -> int:
        """One of its children, as it has noted it for its next start."""
        return json.loads((self.folder / "run" / f"{program}.json").read_text())["pid"]

    def stop(self, number: signal.Signals) -> int:
        """Signal the one process that a terminal or a process manager knows; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOPPING)

    def gone(self, seconds: float = STOPPING) -> bool:
        """Whether nothing of it is left, now or soon."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.processes()

    def kill(self) -> None:
        """SIGKILL for everything at once, as a power cut would: all stand still first, or one that
        lives a little longer would start anew what it misses."""
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in [self.process.pid, *self.processes()]:
                with suppress(ProcessLookupError):  # it went with the one before
                    os.kill(pid, number)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None or self.processes():
            self.kill()
        self._reader.join()


def jobboard(*arguments: str) -> list[str]:
    """The command of the environment that runs the tests."""
    return [sys.executable, "-m", "jobboard.cli.main", *arguments]


def environment(folder: Path, **more: str) -> Mapping[str, str]:
    """Ours, without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOBBOARD_")}
    return kept | {"DATA_DIR": str(folder), "DEMO": "0"} | more


def refusal(folder: Path, *arguments: str, **settings: str) -> str:
    """The one line that a command says when it does not do what it should."""
    run = subprocess.run(
        jobboard(*(arguments or ("up",))),
        capture_output=True,
        env=environment(folder, **settings),
        text=True,
        timeout=30,
    )
    assert run.returncode in (1, 2), run
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1, run.stderr
    return run.stderr.rstrip()


@contextmanager
def taken_port() -> Generator[int]:
    """A port that someone listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with taken_port() as port:
        return port


def _inside(link: Path, folder: Path) -> bool:
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:  # it has ended, or is another person's
        return False
