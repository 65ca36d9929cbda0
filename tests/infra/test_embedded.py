"""The engines' own rules: what a folder refuses, what outlives a start, what is started again."""

import asyncio
import os
import stat
import sys
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis import Redis
from redis.exceptions import AuthenticationError

from jobboard.infra.embedded import BoardError, DataDir, InUse, datadir, supervisor
from jobboard.infra.embedded.crew import Crew
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.embedded.process import Child, Program, complete, end_left_overs
from tests.boards import Servers

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def folder() -> Iterator[DataDir]:
    """A prepared DATA_DIR in a place that PostgreSQL's user may enter, pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="jobboard-test-") as path:
        made = DataDir(Path(path) / "data")
        made.root.parent.chmod(0o711)
        with made.locked("command"):
            yield made


async def _always() -> bool:
    return True


async def _never() -> bool:
    return False


def program(folder: DataDir, *code: str, key: str = "thing", **options: Any) -> Program:
    """A Python program of a few lines."""
    argv = [sys.executable, "-c", "\n".join(code)]
    made = Program("The thing", key, argv, folder.root, _always, dict(os.environ))
    return replace(made, **options)


def test_no_engine_answers_without_its_password(board: Servers) -> None:
    def stripped(url: str) -> str:
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.hostname}:{parts.port}").geturl()

    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(stripped(board.database_url), user="jobboard", password="x"))
    with Redis.from_url(stripped(board.redis_url)) as redis, pytest.raises(AuthenticationError):
        redis.ping()
    mongo = urlsplit(board.mongo_url)
    with (
        MongoClient(mongo.hostname, mongo.port, directConnection=True) as client,
        pytest.raises(OperationFailure),
    ):
        client.jobboard.hits.find_one()


def test_what_is_secret_is_for_its_owner_alone_and_stays(folder: DataDir) -> None:
    kept = folder.secret("secret_key")
    assert len(kept) >= 32
    assert DataDir(folder.root).secret("secret_key") == kept
    for name in ("secrets.json", "state.json", "lock"):
        assert stat.S_IMODE((folder.root / name).stat().st_mode) == 0o600


def test_one_holder_at_a_time(folder: DataDir) -> None:
    with (
        pytest.raises(InUse, match="in use by another command"),
        DataDir(folder.root).locked("board"),
    ):
        pass


def test_two_boards_are_told_apart_by_data_dir_and_port(folder: DataDir) -> None:
    folder.update(holder="board", settings={"database_url": "postgresql://"})
    with (
        pytest.raises(InUse, match="another DATA_DIR and PORT"),
        DataDir(folder.root).locked("board", wait=60),
    ):
        pass


def test_a_port_is_kept_until_someone_else_takes_it(folder: DataDir) -> None:
    port = folder.port("redis")
    assert folder.port("redis") == port
    assert folder.port("postgres") != port
    listener = datadir.socket.create_server(("127.0.0.1", port))
    with listener:
        assert folder.port("redis") != port


def test_a_full_disk_says_so_before_anything_is_written(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datadir.shutil, "disk_usage", lambda _: Usage(100, 99, 1))
    with pytest.raises(BoardError, match=r"is full \(0 MB left\); free at least 200 MB"):
        folder.prepare()


def test_a_disk_that_fills_up_later_is_named_whatever_it_broke(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BoardError, match="does not stay up"), folder.blaming_the_disk():
        raise BoardError("Redis does not stay up")
    monkeypatch.setattr(datadir.shutil, "disk_usage", lambda _: Usage(100, 99, 1))
    with pytest.raises(BoardError, match="is full; free at least"), folder.blaming_the_disk():
        raise BoardError("Redis does not stay up")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BoardError, match="set DATA_DIR to a folder"):
            DataDir(path).prepare()


def test_another_persons_board_is_left_alone(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(BoardError, match=r"belongs to .*; run this as"):
        folder.prepare()


def test_a_state_that_a_crash_cut_short_is_forgotten_but_a_secret_is_not(folder: DataDir) -> None:
    (folder.root / "state.json").write_text('{"ports": {"red')
    assert folder.state() == {}
    (folder.root / "secrets.json").write_text('{"secret')
    with pytest.raises(BoardError, match="damaged"):
        folder.secret("secret_key")


def test_data_of_another_postgres_is_not_touched(folder: DataDir) -> None:
    data = folder.root / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    engine = Postgres(folder, volatile=True)
    with pytest.raises(BoardError, match="written by PostgreSQL 17 and this is 18; dump it"):
        asyncio.run(engine.prepare())
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_killed_servers_lock_file_is_removed_only_when_nobody_uses_the_data(
    folder: DataDir,
) -> None:
    data = folder.root / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    lock = data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n")  # alive, and not a server
    engine = Postgres(folder, volatile=True)

    async def prepare_beside(user: Program) -> None:
        child = await Child.spawn(user, folder)
        await engine.prepare()
        assert lock.exists()
        await child.stop()
        await engine.prepare()

    user = Program("A user", "user", ["sleep", "60"], data, _always, dict(os.environ))
    asyncio.run(prepare_beside(user))
    assert not lock.exists()


def test_what_a_killed_board_left_is_ended_and_a_stranger_is_not(folder: DataDir) -> None:
    async def leave_two_and_clean_up() -> tuple[Child, Child]:
        ours = await Child.spawn(program(folder, "import time; time.sleep(60)", key="ours"), folder)
        other = await Child.spawn(program(folder, "import time; time.sleep(60)"), folder)
        record = folder.run / "thing.json"
        record.write_text(record.read_text().replace('"started": "', '"started": "another boot '))
        await end_left_overs(folder)
        await asyncio.wait_for(ours.process.wait(), 5)
        assert other.process.returncode is None
        await other.stop()
        return ours, other

    ours, _ = asyncio.run(leave_two_and_clean_up())
    assert ours.process.returncode == -15
    assert list(folder.run.iterdir()) == []


def test_what_cannot_stay_up_ends_it_all_in_one_line(
    folder: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.001)
    said: list[str] = []

    async def run() -> None:
        crew = Crew(folder)
        dying = program(folder, "import sys, time; time.sleep(0.02); sys.exit('no such file')")
        await crew.launch(dying)
        await supervisor.supervise(crew, said.append)

    with pytest.raises(BoardError, match=r"The thing does not stay up; see .*: no such file"):
        asyncio.run(run())
    assert said[0] == "The thing ended (exit code 1); starting it again"
    assert len([line for line in said if "starting it again" in line]) == supervisor.DEATHS - 1


def test_what_ends_before_it_answers_says_where_to_look(folder: DataDir) -> None:
    dying = program(folder, "raise SystemExit('FATAL: bad luck')", answers=_never)
    with pytest.raises(BoardError, match=r"did not start; see .*thing\.log: FATAL: bad luck"):
        asyncio.run(Crew(folder).launch(dying))


def test_what_does_not_listen_is_killed(folder: DataDir) -> None:
    async def run() -> bool:
        deaf = program(
            folder,
            "import pathlib, signal, time",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "pathlib.Path('deaf').touch()",
            "time.sleep(60)",
            answers=_is_deaf,
            stop_grace=0.1,
        )
        crew = Crew(folder)
        await crew.launch(deaf)
        return await crew.children["thing"].stop()

    async def _is_deaf() -> bool:
        return (folder.root / "deaf").exists()

    assert asyncio.run(run()) is False


def test_the_last_word_of_a_command_that_failed(folder: DataDir) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('jobboard: the moon is full')"]
    with pytest.raises(BoardError, match=r"^the moon is full$"):
        asyncio.run(complete("moon", failing, dict(os.environ), folder))
