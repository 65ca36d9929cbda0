"""`jobboard doctor`: what is well, what is not, and what to do about it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.infra import checkup
from jobboard.infra.schedule import Schedule
from jobboard.settings import Settings
from tests.boards import Servers, at, new_database
from tests.e2e.boards import free_port
from tests.smtp import Inbox, serving

pytestmark = pytest.mark.anyio
Said = Callable[[], tuple[int, dict[str, str]]]


@pytest.fixture
def doctor(
    settings: Settings,
    clean: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Said:
    """Runs the command on the test board: its exit code, and each line by what it is about."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_REDIS_URL", settings.redis_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_MONGO_URL", settings.mongo_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_STORAGE_URL", settings.storage_url)
    app = make_app(["doctor", "migrate"])

    def said() -> tuple[int, dict[str, str]]:
        code = run(app, ["doctor"])
        return code, {line.split()[1]: line for line in capsys.readouterr().out.splitlines()}

    return said


@pytest.fixture
def empty(board: Servers) -> Iterator[str]:
    """A database without a schema."""
    with new_database(board.database_url) as name:
        yield at(board.database_url, name)


async def test_all_is_well(
    doctor: Said, session: AsyncSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.add(Schedule(name="expire_jobs", due_at=now() + timedelta(minutes=1)))
    await session.commit()
    async with serving(Inbox()) as inbox:
        monkeypatch.setenv("JOBBOARD_SMTP_URL", inbox.url)
        monkeypatch.setenv("JOBBOARD_BROKER_URL", settings.redis_url.get_secret_value())
        code, said = await to_thread.run_sync(doctor)
    assert code == 0
    assert {what: line.split()[0] for what, line in said.items()} == dict.fromkeys(
        ("PostgreSQL", "Schema", "Clock", "Worker", "Redis", "Broker", "MongoDB", "Files", "Mail"),
        "ok",
    )
    assert "version 1" in said["PostgreSQL"]


async def test_what_is_gone_or_behind_is_said_with_what_to_do(
    doctor: Said, empty: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = free_port()
    (tmp_path / "file").touch()
    gone = {
        "REDIS_URL": f"redis://127.0.0.1:{nowhere}",
        "BROKER_URL": f"amqp://board:secret@127.0.0.1:{nowhere}//",
        "MONGO_URL": f"mongodb://127.0.0.1:{nowhere}",
        "SMTP_URL": f"smtp://127.0.0.1:{nowhere}",
        "STORAGE_URL": (tmp_path / "file" / "below").as_uri(),
    }
    for name, value in gone.items():
        monkeypatch.setenv(f"JOBBOARD_{name}", value)
    monkeypatch.setattr(checkup, "SECONDS", 1.0)
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", empty)
    code, said = await to_thread.run_sync(doctor)
    assert code == 1
    failed = {what for what, line in said.items() if line.startswith("fail")}
    assert failed == {"Schema", "Redis", "Broker", "MongoDB", "Files", "Mail"}
    assert "Run `jobboard migrate`" in said["Schema"]
    assert all("JOBBOARD_" in said[what] for what in failed - {"Schema"})
    assert said["Worker"].startswith("warn")


async def test_what_is_too_old_too_full_or_apart_is_said_with_what_to_do(
    doctor: Said, session: AsyncSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "POSTGRES": 99, "REDIS": (99, 0), "ROOM": 2**80, "SKEW": timedelta(seconds=-1),
    }.items():  # fmt: skip
        monkeypatch.setattr(checkup, name, value)
    monkeypatch.setenv("JOBBOARD_MONGO_URL", "")
    code, said = await to_thread.run_sync(doctor)
    assert (code, said["MongoDB"].split()[0]) == (1, "off")
    assert "Use PostgreSQL 99 or later" in said["PostgreSQL"]
    assert "Use Redis 99.0 or later" in said["Redis"]
    assert (said["Files"].split()[0], "Free some space" in said["Files"]) == ("warn", True)
    monkeypatch.setattr(checkup, "POSTGRES", 18)
    monkeypatch.setenv("JOBBOARD_STORAGE_URL", "memory:///")
    code, said = await to_thread.run_sync(doctor)
    assert "clocks by NTP" in said["Clock"]
    assert said["Files"].startswith("ok")


async def test_a_database_that_is_not_there_is_one_line(
    doctor: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", f"postgresql://x@127.0.0.1:{free_port()}/x")
    code, said = await to_thread.run_sync(doctor)
    assert code == 1
    assert said["PostgreSQL"].startswith("fail")
    assert "JOBBOARD_DATABASE_URL" in said["PostgreSQL"]
    assert "Schema" not in said


async def test_work_that_nobody_does_is_said(doctor: Said, session: AsyncSession) -> None:
    session.add(Schedule(name="expire_jobs", due_at=now() - timedelta(hours=2)))
    await session.commit()
    code, said = await to_thread.run_sync(doctor)
    assert code == 0
    assert "120 min late" in said["Worker"]
    assert "jobboard worker --schedule" in said["Worker"]
