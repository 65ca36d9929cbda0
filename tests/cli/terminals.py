"""A terminal: what is shown there, and a person who types."""

import os
import pty
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Generator[list[str]]:
    """Standard error is one; at the end of the block, what was shown. It holds 4 KB."""
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    shown: list[str] = []
    try:
        with os.fdopen(theirs, "w") as stream, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            yield shown
        shown.append(_rest(ours))
    finally:
        os.close(ours)


class Person:
    """In front of a command."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self.seen = ""
        self.exit_code: int | None = None
        self._process, self._terminal = process, terminal

    def reads(self, words: str) -> None:
        """Up to these words, or the end."""
        seen = b""
        with suppress(OSError):
            while not seen.endswith(words.encode()):
                seen += os.read(self._terminal, 1)
        self.seen += seen.decode()

    def types(self, line: str) -> None:
        """And ends the line."""
        os.write(self._terminal, f"{line}\n".encode())

    def leaves(self) -> None:
        """At the end of the command."""
        self.seen += _rest(self._terminal)
        self.exit_code = self._process.wait(timeout=60)


@contextmanager
def dialogue(*words: str) -> Generator[Person]:
    """With `jobboard` and these words, in a session without any other terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "jobboard.cli.main", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        person = Person(process, ours)
        try:
            yield person
            person.leaves()
        finally:
            process.kill()
            os.close(ours)


def _rest(terminal: int) -> str:
    seen = b""
    with suppress(OSError):  # EIO: nobody writes there any more
        while piece := os.read(terminal, 4096):
            seen += piece
    return seen.decode()
