"""A worker process of its own: rung for, it delivers, and does all that is due by the clock."""

import os
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import anyio.to_thread
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import LoginKind, LoginSession, Role
from jobboard.applications.models import Application, Stage
from jobboard.clock import now
from jobboard.infra.idempotency import KeptAnswer
from jobboard.infra.queue import DELIVER, TICK, Message, make_celery
from jobboard.infra.schedule import Schedule
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from jobboard.uploads.service import FORGET_FILES
from jobboard.worker.clock import WORKS
from tests.e2e.boards import environment, jobboard
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import make_user

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SECONDS = 60.0  # for a machine that does much else meanwhile


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def surroundings(settings: Settings, clean: None, storage: Path) -> Mapping[str, str]:
    """Of a process on the test board."""
    names = ("secret_key", "database_url", "redis_url", "mongo_url")
    own = {f"JOBBOARD_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    own["JOBBOARD_STORAGE_URL"] = storage.as_uri()
    own["JOBBOARD_ALIVE_PATH"] = str(storage.parent / "alive")
    return environment(storage.parent / "board", **own)


@pytest.fixture
def worker(surroundings: Mapping[str, str]) -> Generator[None]:
    """`jobboard worker`, without a schedule: who wants work, rings."""
    with subprocess.Popen(jobboard("worker", "--concurrency", "1"), env=surroundings) as process:
        try:
            yield
        finally:
            process.terminate()


def ring(settings: Settings, *names: str) -> None:
    """Ask for these pieces of work."""
    with closing(make_celery(settings.redis_url.get_secret_value())) as celery:
        for name in names:
            celery.send_task(name, ignore_result=True)


async def make_due(session: AsyncSession, settings: Settings, storage: Path) -> None:
    """Something to do for each piece of work, and nothing else."""
    employer = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, employer)
    yesterday, last_year = now() - timedelta(days=1), now() - timedelta(days=365)
    job = await make_job(session, employer, company, expires_at=yesterday)
    session.add_all(
        [
            Message(kind=FORGET_FILES, payload={"keys": []}),
            Message(kind=FORGET_FILES, payload={}, done_at=last_year),
            LoginSession(person_id=employer.id, kind=LoginKind.WEB, expires_at=last_year),
            KeptAnswer(id=uuid4().bytes, fingerprint=b"", created_at=yesterday),
        ]
    )
    session.add_all(Schedule(name=name, due_at=yesterday) for name in WORKS)
    applied = Application(job_id=job.id, person_id=employer.id, stage=Stage.REJECTED)
    session.add(applied)
    await session.flush()
    await session.execute(update(Application).values(updated_at=last_year))
    await session.commit()
    (storage / "fresh").touch()
    forgotten(storage).touch()
    os.utime(forgotten(storage), (0, 0))


WAITING = {
    "deliver": select(Message.id).where(Message.done_at.is_(None)),
    "expire_jobs": select(Job.id).where(Job.status == JobStatus.PUBLISHED),
    "clean_outbox": select(Message.id).where(Message.done_at < func.now() - timedelta(days=7)),
    "forget_old_logins": select(LoginSession.id).where(LoginSession.kind == LoginKind.WEB),
    "expire_rejected": select(Application.id),
    "forget_old_answers": select(KeptAnswer.id),
}


async def left(session: AsyncSession, storage: Path) -> set[str]:
    """The pieces of work that are still to be done."""
    waiting = {name for name, rows in WAITING.items() if (await session.scalars(rows)).first()}
    await session.rollback()
    return waiting | ({"sweep_files"} if forgotten(storage).exists() else set())


def forgotten(storage: Path) -> Path:
    """A file that belongs to nothing."""
    return storage / "forgotten"


async def test_a_worker_does_each_piece_of_its_schedule(
    worker: None, session: AsyncSession, settings: Settings, storage: Path
) -> None:
    await make_due(session, settings, storage)
    everything = await left(session, storage)
    assert everything == {*WAITING, "sweep_files"}
    ring(settings, DELIVER, TICK)
    deadline = time.monotonic() + SECONDS
    while waiting := await left(session, storage):
        assert time.monotonic() < deadline, f"never done: {waiting}"
        await anyio.sleep(0.1)  # only the rows tell
    assert (storage / "fresh").exists()
    await anyio.to_thread.run_sync(appears, storage.parent / "alive")


def test_the_schedule_runs_alone_and_says_that_it_lives(
    surroundings: Mapping[str, str], storage: Path
) -> None:
    command = jobboard("beat", "--schedule", str(storage / "schedule"))
    with subprocess.Popen(command, env=surroundings) as process:
        try:
            appears(storage.parent / "alive.schedule")
        finally:
            process.terminate()
    assert process.returncode == 0
    assert not (storage.parent / "alive").exists()


def appears(path: Path) -> None:
    """Wait until it is there."""
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"there is no {path.name}"
        time.sleep(0.1)
