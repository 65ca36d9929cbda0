"""Thousands of messages while the worker is killed and Redis starts anew: each effect once.

QUEUE says how many: 300 fit into the suite's time; QUEUE=10000 has fifty SIGKILLs of the worker,
every other of one of its children only, and five of Redis, which each time forgets all it knew.
Every other message is written by a process that ends between its commit and its ring. A tenth are
mails, which a real mail server counts.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from operator import eq, le
from pathlib import Path
from shutil import rmtree
from time import monotonic

import pytest
from sqlalchemy import TextClause, text

from jobboard.accounts.models import Person, Role
from jobboard.infra.embedded.crew import Crew
from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.redis import Redis
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Doorbell, enqueue
from jobboard.notifications.service import notify
from tests.boards import Servers, at, new_database
from tests.smtp import Inbox, serving

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MESSAGES = int(os.environ.get("QUEUE", "300"))
KILLS, RESTARTS = max(4, MESSAGES // 200), max(1, MESSAGES // 2_000)
EACH = 5  # messages in a transaction
PATIENCE = 600.0 + MESSAGES  # seconds
ROOT = Path(__file__).parents[2]
OPEN = text("SELECT count(*) FROM messages WHERE done_at IS NULL AND failed_at IS NULL")
DONE = text("SELECT count(*) FROM messages WHERE done_at IS NOT NULL")


@dataclass
class Works:
    """The worker, its engines, and what was asked of it."""

    folder: Path
    database: Database
    silent: Database  # whose transactions never ring
    inbox: Inbox
    crew: Crew
    redis: Redis
    env: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)
    deaths: int = 0  # that nobody caused on purpose

    def start(self) -> None:
        """The worker with its children and scheduler, in a group of their own."""
        command = [
            sys.executable, "-m", "celery", "--quiet", "--app", "tests.e2e.counting:app", "worker",
            "--loglevel", "ERROR", "--concurrency", "2", "--without-gossip", "--without-mingle",
            "--beat", "--schedule", str(self.folder / "schedule"),
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=self.env,
                cwd=ROOT,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def log(self) -> Path:
        """What it complained of."""
        return self.folder / "worker.log"

    def keep_running(self) -> None:
        """What a process manager does, and `jobboard up`: start again what ended by itself."""
        if self.process.poll() is not None:
            self.kill()
            self.deaths += 1
            self.start()

    def kill(self) -> None:
        """All of it at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_child(self) -> None:
        """One of those that work, or the one with the schedule: its worker ends, too."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self.process.pid:
                    os.kill(int(stat.parent.name), signal.SIGKILL)
                    return

    async def restart_redis(self) -> None:
        """It forgets everything."""
        self.crew.children["redis"].process.kill()
        await self.crew.children["redis"].process.wait()
        async with self.crew.starting([self.redis]):
            pass

    async def count(self, statement: TextClause) -> int:
        """Ask the database."""
        async with self.database.engine.connect() as connection:
            return await connection.scalar(statement) or 0


@asynccontextmanager
async def closing(database: Database) -> AsyncGenerator[Database]:
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def url(board: Servers) -> Iterator[str]:
    """An empty board's database."""
    with new_database(board.database_url, template=board.template) as name:
        yield at(board.database_url, name)


@pytest.fixture
async def works(url: str) -> AsyncIterator[Works]:
    """The worker runs, and has nothing to do."""
    root = Path(tempfile.mkdtemp(prefix="jobboard-"))
    async with AsyncExitStack() as stack:
        stack.callback(rmtree, root, ignore_errors=True)
        folder = DataDir(root)
        stack.enter_context(folder.locked("command"))
        crew, redis = Crew(folder), Redis(folder, volatile=True)
        stack.push_async_callback(crew.stop)
        async with crew.starting([redis]):
            pass
        doorbell = Doorbell(redis.url)
        stack.callback(doorbell.close)
        inbox = await stack.enter_async_context(serving(Inbox()))
        loud = await stack.enter_async_context(closing(Database(url, ring=doorbell.ring)))
        silent = await stack.enter_async_context(closing(Database(url)))
        settings = {
            "JOBBOARD_DATABASE_URL": url,
            "JOBBOARD_REDIS_URL": redis.url,
            "JOBBOARD_STORAGE_URL": (root / "files").as_uri(),
            "JOBBOARD_SECRET_KEY": "a secret of the tests, thirty-two characters and more",
            "JOBBOARD_SMTP_URL": inbox.url,
        }
        env = {k: v for k, v in os.environ.items() if not k.startswith("JOBBOARD_")} | settings
        works = Works(root, loud, silent, inbox, crew, redis, env)
        async with loud.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE effects (number int NOT NULL)"))
        works.start()
        stack.callback(works.kill)
        yield works


async def write(works: Works) -> None:
    """Every message in its transaction with others; every tenth is a mail; some roll back."""
    person = Person(email="kim@example.com", full_name="Kim", password_hash="", role=Role.CANDIDATE)
    async with works.database.transaction() as session:
        session.add(person)
    for start in range(0, MESSAGES, EACH):
        database = works.database if start // EACH % 2 else works.silent
        async with database.transaction() as session:
            for number in range(start, start + EACH):
                if number % 10:
                    enqueue(session, "test.count", {"number": number})
                else:
                    notify(session, person.id, "account_exists", {})
        with suppress(LookupError):
            async with database.transaction() as session:
                enqueue(session, "test.count", {"number": -1})
                raise LookupError


async def disturb(works: Works) -> None:
    """Kill the worker and Redis at even steps of the way."""
    events = [(MESSAGES * (n + 1) // (KILLS + 1), "worker", n) for n in range(KILLS)]
    events += [(MESSAGES * (n + 1) // (RESTARTS + 1), "redis", n) for n in range(RESTARTS)]
    for moment, what, number in sorted(events):
        await wait_for(works, DONE, partial(le, moment))
        if what == "redis":
            await works.restart_redis()
        elif number % 2:
            works.kill_child()
        else:
            works.kill()
            works.start()


async def wait_for(works: Works, statement: TextClause, enough: Callable[[int], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not enough(await works.count(statement)):
            works.keep_running()
            await asyncio.sleep(0.05)  # only the rows tell


async def test_every_effect_once_whatever_dies(
    works: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    started = monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(write(works))
        group.create_task(disturb(works))
    await wait_for(works, OPEN, partial(eq, 0))

    async with works.database.engine.connect() as connection:
        numbers = await connection.scalars(text("SELECT number FROM effects ORDER BY number"))
        assert list(numbers) == [number for number in range(MESSAGES) if number % 10]
        rows = await connection.execute(
            text("SELECT kind, failure, count(*) FROM messages GROUP BY kind, failure")
        )
        outcomes = {(kind, failure): count for kind, failure, count in rows}
        again = await connection.scalar(text("SELECT sum(attempts - 1) FROM messages"))
    # A worker that died within the last byte of a mail leaves it to a moderator, unsent or sent.
    unsure = outcomes.pop(("notifications.mail", "unsure"), 0)
    mails = MESSAGES // 10
    assert outcomes == {
        ("test.count", None): MESSAGES - mails,
        ("notifications.mail", None): mails - unsure,
    }
    sent = Counter(mail["Message-ID"] for mail in works.inbox.received)
    assert max(sent.values()) == 1
    assert mails - unsure <= len(sent) <= mails
    figures = (
        f"\nqueue: {MESSAGES:,} messages, {KILLS} kills of the worker, {RESTARTS} of Redis: each "
        f"effect once; {again} attempts died; of {mails:,} mails {len(sent):,} arrived, none "
        f"twice, {unsure} left to a moderator; {works.deaths} deaths that nobody meant; "
        f"{monotonic() - started:.0f} s\n"
    )
    with capsys.disabled():
        sys.stdout.write(figures)
