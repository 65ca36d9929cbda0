"""`jobboard doctor`: what is well, what is not, and what to do about it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from anyio import to_thread
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.infra import checkup
from jobboard.infra.embedded.redis import Redis as RedisEngine
from jobboard.infra.schedule import Schedule
from jobboard.settings import Settings
from tests.boards import Servers, at, new_database
from tests.bucket import BUCKET, asking, bucket
from tests.e2e.boards import free_port
from tests.e2e.engines import Server, engine_server
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


def test_migrations_can_be_printed_and_run_nothing(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", empty)
    app = make_app(["doctor", "migrate"])
    assert run(app, ["migrate", "--sql"]) == 0
    written = capsys.readouterr().out
    assert written.count("CREATE TABLE people") == 1
    assert run(app, ["migrate", "--sql"]) == 0
    assert capsys.readouterr().out == written  # it is all still to be run
    assert run(app, ["migrate"]) == 0
    assert run(app, ["migrate", "--sql"]) == 0
    assert capsys.readouterr().out == ""


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
        (
            "PostgreSQL", "Schema", "Extensions", "Clock", "Worker", "Redis", "Broker", "MongoDB",
            "Files", "Mail",
        ),
        "ok",
    )  # fmt: skip
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
    assert all("Is it running?" in said[what] for what in failed - {"Schema", "Files"})
    assert "may we write to it?" in said["Files"]
    assert "(" not in said["MongoDB"]
    assert said["Extensions"].startswith("ok")  # jobboard migrate will make them
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


async def test_an_extension_that_is_not_there_is_said_with_what_to_do(
    doctor: Said, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "EXTENSIONS", ("unaccent", "citext"))
    _, said = await to_thread.run_sync(doctor)
    advice = "citext was dropped. Run CREATE EXTENSION citext in that database."
    assert said["Extensions"] == f"fail  Extensions  {advice}"
    monkeypatch.setattr(checkup, "EXTENSIONS", ("citext", "none_such"))
    code, said = await to_thread.run_sync(doctor)
    assert (code, "no none_such. Install PostgreSQL's contrib" in said["Extensions"]) == (1, True)


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


@asynccontextmanager
async def silent() -> AsyncGenerator[int]:
    """The port of somebody who takes connections and says nothing."""
    ended = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        ended.set()


async def test_who_does_not_answer_keeps_nobody_waiting(
    doctor: Said, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "SECONDS", 2.0)
    async with silent() as port:
        monkeypatch.setenv("JOBBOARD_REDIS_URL", f"redis://127.0.0.1:{port}")
        code, said = await to_thread.run_sync(doctor)
    assert code == 1
    assert said["Redis"].split(maxsplit=2)[2] == (
        "no answer within 2 s. Is it running? Its address is JOBBOARD_REDIS_URL."
    )
    assert said["PostgreSQL"].startswith("ok")


async def test_a_redis_that_forgets_what_it_was_told_is_said(
    doctor: Said, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_server(RedisEngine, Server) as redis:
        await redis.start()
        client = Redis.from_url(redis.url)
        await client.config_set("maxmemory", 2**30)
        await client.config_set("maxmemory-policy", "allkeys-lru")
        await client.aclose()
        monkeypatch.setenv("JOBBOARD_REDIS_URL", redis.url)
        code, said = await to_thread.run_sync(doctor)
    assert code == 0
    assert said["Redis"].startswith("warn")
    assert "maxmemory-policy is allkeys-lru. Set it to noeviction" in said["Redis"]


async def test_a_storage_that_gives_something_else_back_fails(
    doctor: Said, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bucket(spoils=True) as (address, objects):
        for name, value in asking(address).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("JOBBOARD_STORAGE_URL", f"s3://{BUCKET}")
        code, said = await to_thread.run_sync(doctor)
    assert (code, objects) == (1, {})
    assert "what was written is not what is read" in said["Files"]


async def test_mail_that_is_only_printed_is_worth_a_warning_in_production(
    doctor: Said, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "a secret of the tests, thirty-two characters and more",
        "BASE_URL": "https://jobs.example.com",
    }.items():
        monkeypatch.setenv(f"JOBBOARD_{name}", value)
    code, said = await to_thread.run_sync(doctor)
    assert code == 0
    assert said["Mail"].startswith("warn")
    assert "Set JOBBOARD_SMTP_URL" in said["Mail"]
