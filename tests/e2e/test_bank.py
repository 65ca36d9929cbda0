"""A bank day: eight writers and two readers, while processes and PostgreSQL itself are killed.

Six writers pay through `wallet.service` in two processes, two through HTTP and the whole product;
through HTTP alone, as many payments would take a small machine several minutes. Their keys go
through the same table in the same transaction. BANK says how many payments: 1,000 fit into the
suite's time, BANK=200000 has fifty kills of the app and ten of PostgreSQL.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from time import monotonic
from typing import Any

import httpx2
import pytest
from sqlalchemy import insert, text

from jobboard.accounts import tokens
from jobboard.accounts.models import LoginKind, LoginSession, Person, Role
from jobboard.cli.processes import web_command
from jobboard.clock import now
from jobboard.infra.embedded.crew import Crew
from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.wallet import queries, service
from jobboard.wallet.schemas import GrantCreate
from tests.boards import Servers
from tests.e2e.boards import free_port
from tests.e2e.teller import DONE, PAUSE, REFUSED, SILENT, Purse, patiently, payment, purses_of
from tests.timing import until
from tests.wallet.test_ledger import BOOKS

PATIENCE = 7200.0  # seconds
TRANSFERS = int(os.environ.get("BANK", "1000"))
APP_KILLS, DATABASE_KILLS = max(5, TRANSFERS // 4_000), max(1, TRANSFERS // 20_000)
WALLETS, EACH = 100, 5_000
TELLERS = {"a": ("a1", "a2", "a3"), "b": ("b1", "b2", "b3")}
BY_HTTP = 2
SECRET = "a secret of the tests, thirty-two characters and more"
ROOT = Path(__file__).parents[2]


@dataclass
class Bank:
    """The processes of the day, and what was answered."""

    folder: Path
    redis_url: str
    engine: Postgres = field(init=False)
    crew: Crew = field(init=False)
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    tokens: dict[Any, str] = field(default_factory=dict)
    by_http: dict[str, tuple[int, str]] = field(default_factory=dict)
    reads: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        folder = DataDir(self.folder)
        self.engine, self.crew = Postgres(folder, volatile=False), Crew(folder)

    @property
    def address(self) -> str:
        """Of the app."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def journal(self) -> Path:
        """Where the tellers write down what they were answered."""
        return self.folder / "journal"

    async def start_database(self) -> None:
        """And wait until it answers, recovery included."""
        async with self.crew.starting([self.engine]):
            pass

    async def kill_database(self) -> None:
        """SIGKILL for the server and each of its processes, as a power cut would; then start it."""
        for pid in processes_in(self.engine.data):
            with suppress(ProcessLookupError):  # it went with the one before
                os.kill(pid, signal.SIGKILL)
        await self.crew.children["postgres"].process.wait()
        await self.start_database()

    def start(self, name: str) -> None:
        """The app, or one of the tellers."""
        settings = {
            "JOBBOARD_DATABASE_URL": self.engine.url,
            "JOBBOARD_REDIS_URL": self.redis_url,
            "JOBBOARD_STORAGE_URL": (self.folder / "files").as_uri(),
            "JOBBOARD_SECRET_KEY": SECRET,
            "JOBBOARD_BASE_URL": self.address,
            "JOBBOARD_RATE_LIMITS": "off",
        }
        command = web_command("--host", "127.0.0.1", "--port", str(self.port))
        if name in TELLERS:
            writers = TELLERS[name]
            share = str((TRANSFERS - BY_HTTP * http_share()) // (2 * len(writers)))
            where = (self.engine.url, str(self.journal), ",".join(writers), share)
            command = [sys.executable, "-m", "tests.e2e.teller", *where]
        env = {k: v for k, v in os.environ.items() if not k.startswith("JOBBOARD_")} | settings
        self.running[name] = subprocess.Popen(
            command, env=env, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def kill(self, name: str) -> None:
        """SIGKILL, and start it again."""
        self.running[name].kill()
        self.running[name].wait()
        self.start(name)

    def answers(self) -> Iterator[tuple[str, int, str]]:
        """Key, status and transfer of all that anyone was answered."""
        for path in self.journal.iterdir():
            for line in path.read_text().splitlines():
                key, status, made = line.split()
                yield key, int(status), made
        for key, (status, made) in self.by_http.items():
            yield key, status, made

    def progress(self) -> int:
        """How many payments are answered."""
        lines = sum(path.read_bytes().count(b"\n") for path in self.journal.iterdir())
        return lines + len(self.by_http)


def http_share() -> int:
    """Payments of each writer through HTTP."""
    return TRANSFERS // 100


@pytest.fixture
async def bank(board: Servers) -> AsyncIterator[Bank]:
    """With its database, where each of WALLETS people has EACH cents."""
    folder = Path(tempfile.mkdtemp(prefix="jobboard-"))
    bank = Bank(folder, board.redis_url)
    bank.journal.mkdir()
    held = ExitStack()
    try:
        held.enter_context(bank.engine.folder.locked("command"))
        await bank.start_database()
        await asyncio.to_thread(upgrade, bank.engine.url)
        await open_accounts(bank)
        yield bank
    finally:
        for process in bank.running.values():
            process.kill()
            process.wait()
        await bank.crew.stop()
        held.close()
        rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def database_of(bank: Bank) -> AsyncGenerator[Database]:
    database = Database(bank.engine.url, pool_size=2)
    try:
        yield database
    finally:
        await database.close()


def processes_in(folder: Path) -> list[int]:
    """Those that work there: PostgreSQL's all do."""
    return [int(link.parent.name) for link in Path("/proc").glob("[0-9]*/cwd") if _is(link, folder)]


def _is(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:  # it has ended, or is another person's
        return False


async def open_accounts(bank: Bank) -> None:
    async with database_of(bank) as database, database.transaction() as session:
        people = [
            {"email": f"{n}@example.com", "full_name": "P", "password_hash": "", "role": role}
            for n, role in enumerate([Role.CANDIDATE] * WALLETS)
        ]
        ids = await session.scalars(insert(Person).returning(Person.id), people)
        for person in ids.all():
            wallet = await queries.of_person(session, person)
            await service.issue(session, None, wallet, GrantCreate(amount=EACH))
            login = LoginSession(
                person_id=person, kind=LoginKind.API, expires_at=now() + timedelta(days=1)
            )
            session.add(login)
            await session.flush()
            bank.tokens[person] = tokens.access_token(
                SECRET,
                issuer=bank.address,
                person_id=person,
                login_session_id=login.id,
                minutes=600,
            )


async def pay_by_http(bank: Bank, name: str, purses: list[Purse]) -> None:
    """A client of the product, which asks again with its key until it hears an answer."""
    async with httpx2.AsyncClient(base_url=bank.address, timeout=30) as client:
        for number in range(http_share()):
            wanted = payment(name, number, purses)
            headers = {
                "Authorization": f"Bearer {bank.tokens[wanted.source.owner]}",
                "Idempotency-Key": wanted.key,
            }
            body = wanted.body.model_dump(mode="json")
            while wanted.key not in bank.by_http:
                try:
                    answer = await client.post("/api/v1/transfers", json=body, headers=headers)
                except httpx2.TransportError:
                    await asyncio.sleep(PAUSE)
                    continue
                if answer.status_code == DONE:
                    bank.by_http[wanted.key] = (DONE, answer.json()["id"])
                elif answer.json()["code"] == "insufficient_funds":
                    bank.by_http[wanted.key] = (REFUSED, "-")
                else:
                    assert answer.status_code in {409, 503}, answer.text
                    await asyncio.sleep(PAUSE)


TOTAL = text("SELECT sum(balance), min(balance) FROM wallets WHERE board IS NULL")
ONE = text("""
SELECT w.balance - (SELECT sum(amount) FROM entries WHERE wallet_id = w.id)
  FROM wallets w WHERE w.board IS NULL ORDER BY random() LIMIT 1
""")


async def read(bank: Bank) -> None:
    """Whoever looks, whenever: no cent is missing, none is owed, a balance is its entries' sum."""
    async with database_of(bank) as database:
        while not bank.over:
            with suppress(*SILENT):
                async with database.engine.connect() as connection:
                    total, least = (await connection.execute(TOTAL)).one()
                    assert (total, least >= 0) == (WALLETS * EACH, True)
                    assert await connection.scalar(ONE) == 0
                    bank.reads += 1
            await asyncio.sleep(PAUSE / 2)


async def kill_now_and_then(bank: Bank) -> None:
    """At even steps of the way: the app and the tellers in turn, and PostgreSQL."""
    names = ["app", *TELLERS]
    kills = [("app", each) for each in range(APP_KILLS)]
    kills += [("database", each) for each in range(DATABASE_KILLS)]
    counts = {"app": APP_KILLS, "database": DATABASE_KILLS}
    moments = sorted(
        (TRANSFERS * (each + 1) // (counts[what] + 1), what, each) for what, each in kills
    )
    for moment, what, each in moments:
        await until(lambda moment=moment: bank.progress() >= moment, PATIENCE)
        if what == "database":
            await bank.kill_database()
        else:
            bank.kill(names[each % len(names)])


async def wait_for_tellers(bank: Bank) -> None:
    for name in TELLERS:
        await until(lambda name=name: bank.running[name].poll() is not None, PATIENCE)
        assert bank.running[name].returncode == 0


@pytest.mark.anyio
async def test_a_day_at_the_bank(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    started = monotonic()
    async with database_of(bank) as database:
        purses = await patiently(lambda: purses_of(database))
    for name in ("app", *TELLERS):
        bank.start(name)
    async with asyncio.TaskGroup() as readers:
        for _ in range(2):
            readers.create_task(read(bank))
        async with asyncio.TaskGroup() as writers:
            for number in range(BY_HTTP):
                writers.create_task(pay_by_http(bank, f"h{number}", purses))
            writers.create_task(kill_now_and_then(bank))
        await wait_for_tellers(bank)
        bank.over = True
    await close_the_books(bank)
    done = sum(status == DONE for _, status, _ in bank.answers())
    figures = (
        f"\nbank: {bank.progress():,} payments, {done:,} of them done, {APP_KILLS} kills of the "
        f"app, {DATABASE_KILLS} of PostgreSQL, {bank.reads:,} reads, "
        f"{monotonic() - started:.0f} s\n"
    )
    with capsys.disabled():
        sys.stdout.write(figures)


async def close_the_books(bank: Bank) -> None:
    answers = list(bank.answers())
    keys = [key for key, _, _ in answers]
    assert len(keys) == len(set(keys)) >= TRANSFERS - 6
    done = {made for _, status, made in answers if status == DONE}
    assert len(done) == sum(status == DONE for _, status, _ in answers)  # no key twice
    async with database_of(bank) as database, database.engine.connect() as connection:
        assert tuple((await connection.execute(BOOKS)).one()) == (0, 0, 0, 0, 0)
        made = await connection.scalars(text("SELECT id FROM transfers WHERE kind = 'transfer'"))
        assert {str(each) for each in made} == done  # nothing is missing, and nothing is beside
        total, least = (await connection.execute(TOTAL)).one()
        assert (total, least >= 0) == (WALLETS * EACH, True)
        kept = "SELECT count(*) FROM kept_answers WHERE status = 201"
        assert await connection.scalar(text(kept)) == len(done)
