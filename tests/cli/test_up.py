"""`jobboard up` from the inside: signals, the welcome, the demonstration. Its boards: tests/e2e."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.cli import up as module
from jobboard.cli.surroundings import environment, folder_of
from jobboard.cli.up import Up, say
from jobboard.infra.embedded import DataDir
from jobboard.infra.embedded.errors import BoardError
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.people import make_user

pytestmark = pytest.mark.anyio
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def handlers() -> Iterator[None]:
    """What this process does with signals stays as it was."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """One run of a board, of which nothing is started."""
    folder = DataDir(tmp_path / "board")
    with (
        folder.locked("board"),
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        yield Up(folder, listener, demo=True, began=0.0)


async def test_told_twice_is_told_once_and_a_closed_terminal_need_not_end_it(
    handlers: None, capsys: pytest.CaptureFixture[str]
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    told_again = asyncio.Event()

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            asyncio.get_running_loop().call_later(0.2, told_again.set)
            await told_again.wait()

    async with asyncio.timeout(20):
        await module._until_told(work())
    assert capsys.readouterr().err == "Stopping.\n"


async def test_who_is_cancelled_without_a_signal_is_cancelled(handlers: None) -> None:
    running = asyncio.create_task(module._until_told(asyncio.sleep(60)))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_terminal_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"nobody listens")
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        for line in ("nobody reads this", "nor that"):
            say(line)
        monkeypatch.undo()


def test_the_welcome_says_what_there_is(
    up: Up, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    without = settings.model_copy(update={"mongo_url": SecretStr("")})
    up._welcome(without, "admin  alex@example.com  secret\n")
    said = capsys.readouterr().err
    assert "API hits are not kept" in said
    assert "  Log-ins of the demonstration:\n    admin  alex@example.com  secret\n" in said
    up._welcome(settings, "")
    said = capsys.readouterr().err
    assert "not kept" not in said
    assert "Log-ins" not in said


async def test_a_board_with_somebodys_companies_gets_no_demonstration(
    up: Up, settings: Settings, session: AsyncSession
) -> None:
    owner = await make_user(session, settings, Role.EMPLOYER)
    await make_company(session, owner)
    env = environment(settings)
    assert await up._demo(settings, env) == ""
    assert (up.folder.root / "demo.txt").stat().st_mode & 0o777 == 0o600
    (up.folder.root / "demo.txt").write_text("as on the first start")
    assert await up._demo(settings, env) == "as on the first start"


def test_where_a_board_is_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folder_of(None).root == Path("/var/lib/jobboard").resolve()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/ada/data")
    assert folder_of(None).root == Path("/home/ada/data/jobboard")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert folder_of("").root == Path("~/.local/share/jobboard").expanduser().resolve()


async def test_a_board_that_never_gets_ready_says_what_it_lacks(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.05)

    async def unready(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 503 Service Unavailable\r\n\r\npostgres: down")
        writer.close()

    async with await asyncio.start_server(unready, sock=up.listener.dup()):
        with pytest.raises(BoardError, match="not ready: postgres: down"):
            await up._ready()
