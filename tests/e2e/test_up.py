"""`jobboard up` as its users meet it: real processes, real signals, one line for each trouble."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import pytest

from jobboard.infra.embedded import DataDir
from tests.boards import Servers
from tests.e2e.boards import Board, environment, free_port, jobboard, refusal, taken_port


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter when root runs the tests; pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="jobboard-e2e-", ignore_cleanup_errors=True) as path:
        Path(path).chmod(0o711)
        yield Path(path)


def status(board: Board) -> int:
    """The status of /readyz."""
    with urlopen(f"http://127.0.0.1:{board.port}/readyz", timeout=10) as answer:
        return answer.status


def query(folder: Path, statement: str) -> object:
    """The first value that a statement gives, asked of the running board of a folder."""

    async def ask() -> object:
        url = DataDir(folder).running_settings()["database_url"]
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.slow
def test_what_was_answered_outlives_every_kill(place: Path) -> None:
    folder, port = place / "a board", free_port()
    with Board(folder, port) as board:
        assert f"http://127.0.0.1:{port}" in board.hear("Jobboard is up")
        assert status(board) == 200
        assert "is in use by another board" in refusal(folder, PORT=str(free_port()))
        assert f"port {port} of 127.0.0.1 is taken" in refusal(place / "other", PORT=str(port))
        assert not (place / "other" / "postgres").exists()
        migrated = subprocess.run(jobboard("migrate"), env=environment(folder), timeout=60)
        assert migrated.returncode == 0

        os.kill(board.pid("redis"), signal.SIGKILL)
        board.hear("Redis ended (killed by signal 9); starting it again")
        board.hear("Redis is back")
        assert status(board) == 200

        query(folder, "CREATE TABLE kept AS SELECT 'a row' AS value")
        board.kill()
        assert board.gone()

    with Board(folder, port) as board:
        board.hear("Jobboard is up")
        assert query(folder, "SELECT value FROM kept") == "a row"
        board.process.kill()  # of the supervisor alone: its children must not stay behind
        assert board.gone()


@pytest.mark.slow
def test_two_side_by_side_and_both_ways_to_leave_a_terminal(place: Path) -> None:
    with Board(place / "one", free_port()) as one, Board(place / "two", free_port()) as two:
        one.hear("Jobboard is up")
        two.hear("Jobboard is up")
        assert status(one) == status(two) == 200
        one.process.send_signal(signal.SIGINT)
        assert two.stop(signal.SIGHUP) == 0
        assert one.stop(signal.SIGINT) == 0  # twice is once
        assert one.gone(0)
        assert two.gone(0)


@pytest.mark.slow
def test_servers_of_ones_own_are_used_and_no_engine_is_started(place: Path, board: Servers) -> None:
    own = {
        "JOBBOARD_DATABASE_URL": board.database_url,
        "JOBBOARD_REDIS_URL": board.redis_url,
        "JOBBOARD_MONGO_URL": board.mongo_url,
    }
    with Board(place, free_port(), **own) as running:
        running.hear("Jobboard is up")
        assert status(running) == 200
        assert running.stop(signal.SIGTERM) == 0
        assert running.gone(0)
    assert not {"postgres", "redis", "mongo"} & {path.name for path in place.iterdir()}


def test_a_port_that_is_taken_starts_nothing(place: Path) -> None:
    with taken_port() as port:
        line = refusal(place, PORT=str(port))
    assert line == (
        f"jobboard: port {port} of 127.0.0.1 is taken; stop what uses it, or choose another PORT"
    )
    assert not (place / "postgres").exists()


def test_a_port_that_is_no_number(place: Path) -> None:
    assert "PORT" in refusal(place, PORT="eighty")


def test_a_setting_that_is_wrong(place: Path) -> None:
    line = refusal(place, JOBBOARD_JOB_DAYS="many", PORT=str(free_port()))
    assert line.startswith("jobboard: JOBBOARD_JOB_DAYS: ")


def test_a_file_in_place_of_the_folder(place: Path) -> None:
    (place / "file").touch()
    assert "set DATA_DIR to a folder" in refusal(place / "file")


def test_a_folder_without_rights(place: Path) -> None:
    closed = place / "closed"
    # Root may write anywhere, but PostgreSQL's user does not get through here.
    closed.mkdir(mode=0o700 if os.geteuid() == 0 else 0o500)
    assert "set DATA_DIR to a folder" in refusal(closed / "board", PORT=str(free_port()))


def test_a_database_that_does_not_answer(place: Path) -> None:
    own = {
        "JOBBOARD_DATABASE_URL": f"postgresql://jobboard:secret@127.0.0.1:{free_port()}/jobboard",
        "JOBBOARD_REDIS_URL": "redis://127.0.0.1:1",
        "JOBBOARD_MONGO_URL": "mongodb://127.0.0.1:1/jobboard",
    }
    line = refusal(place, PORT=str(free_port()), **own)
    assert "does not answer" in line
    assert "secret" not in line
