"""A bank day: eight writers and two readers, while processes and PostgreSQL itself are killed.

Two writers pay through HTTP and the whole product, six through `wallet.service` in two processes,
with the same keys in the same transactions: a payment through HTTP costs several times as much, so
that they make one of twenty, spread over the whole day. BANK
says how many payments: 20,000 in the suite, and BANK=200000 has fifty kills of the app and ten of
PostgreSQL.
"""

import asyncio
import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from shutil import rmtree
from time import monotonic
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import insert, text

from jobboard.accounts import tokens
from jobboard.accounts.models import LoginKind, LoginSession, Person, Role
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
from tests.e2e.teller import (
    DONE,
    PAUSE,
    SILENT,
    Journal,
    Payment,
    be_a_teller,
    be_the_app,
    patiently,
    pay_by_http,
    purses_of,
    write,
)
from tests.timing import until
from tests.wallet.test_ledger import BOOKS

PATIENCE = 7200.0  # seconds
IN_THE_SUITE = 20_000
TRANSFERS = int(os.environ.get("BANK", IN_THE_SUITE))
APP_KILLS, DATABASE_KILLS = max(5, TRANSFERS // 4_000), max(1, TRANSFERS // 20_000)
WALLETS, EACH = 100, 5_000
BY_HTTP = ("h1", "h2")
TELLERS = {"a": ("a1", "a2", "a3"), "b": ("b1", "b2", "b3")}
WRITERS = (*BY_HTTP, *TELLERS["a"], *TELLERS["b"])
HTTP_SHARE = TRANSFERS // 20 // len(BY_HTTP)
SHARE = -(-(TRANSFERS - HTTP_SHARE * len(BY_HTTP)) // (len(WRITERS) - len(BY_HTTP)))
PAYMENTS = HTTP_SHARE * len(BY_HTTP) + SHARE * (len(WRITERS) - len(BY_HTTP))
LEAST_READS = TRANSFERS // 400  # readers whose every question fails have seen nothing wrong
SECRET = "a secret of the tests, thirty-two characters and more"
# Whoever is killed is there again in a moment: a process that has imported all of it is forked.
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.e2e.teller"])


@dataclass
class Bank:
    """The processes of the day, and what was answered."""

    folder: Path
    redis_url: str
    engine: Postgres = field(init=False)
    crew: Crew = field(init=False)
    journals: dict[str, Journal] = field(init=False)
    port: int = field(default_factory=free_port)
    running: dict[str, multiprocessing.process.BaseProcess] = field(default_factory=dict)
    tokens: dict[UUID, str] = field(default_factory=dict)
    reads: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        folder = DataDir(self.folder)
        self.engine, self.crew = Postgres(folder, volatile=False), Crew(folder)
        self.journals = {name: Journal(self.folder / name) for name in WRITERS}

    @property
    def address(self) -> str:
        """Of the app."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def answered(self) -> int:
        """How many payments are."""
        return sum(journal.answered for journal in self.journals.values())

    async def start_database(self) -> None:
        """And wait until it answers, recovery included."""
        async with self.crew.starting([self.engine]):
            pass

    async def kill_database(self) -> None:
        """SIGKILL for the server and each of its processes, as a power cut would; then start it."""
        while processes := processes_in(self.engine.data):  # one may be born meanwhile
            for pid in processes:
                with suppress(ProcessLookupError):  # it went with the one before
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(PAUSE / 10)
        await self.crew.children["postgres"].process.wait()
        await self.start_database()

    def start(self, name: str) -> None:
        """The app, or one of the tellers."""
        if name in TELLERS:
            journals = [self.journals[writer].path for writer in TELLERS[name]]
            process = FORK.Process(target=be_a_teller, args=(self.engine.url, journals, SHARE))
        else:
            process = FORK.Process(target=be_the_app, args=(self._settings(), self.port))
        process.start()
        self.running[name] = process

    def _settings(self) -> dict[str, str]:
        return {
            "JOBBOARD_DATABASE_URL": self.engine.url,
            "JOBBOARD_REDIS_URL": self.redis_url,
            "JOBBOARD_STORAGE_URL": (self.folder / "files").as_uri(),
            "JOBBOARD_SECRET_KEY": SECRET,
            "JOBBOARD_BASE_URL": self.address,
            "JOBBOARD_RATE_LIMITS": "off",
        }

    def kill(self, *names: str) -> None:
        """SIGKILL, and start them again."""
        for name in names:
            self.running[name].kill()
            self.running[name].join()
            self.start(name)


@pytest.fixture
async def bank(board: Servers) -> AsyncIterator[Bank]:
    """With its database, where each of WALLETS people has EACH cents."""
    folder = Path(tempfile.mkdtemp(prefix="jobboard-"))
    bank = Bank(folder, board.redis_url)
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
            process.join()
        await bank.crew.stop()
        held.close()
        rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def database_of(bank: Bank, timeout_ms: int = 10_000) -> AsyncGenerator[Database]:
    database = Database(bank.engine.url, pool_size=2, statement_timeout_ms=timeout_ms)
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
            await asyncio.sleep(PAUSE)


async def kill_now_and_then(bank: Bank) -> None:
    """At even steps of the way: the app with one of the tellers, and PostgreSQL."""
    counts = {"app": APP_KILLS, "database": DATABASE_KILLS}
    moments = sorted(
        (TRANSFERS * (each + 1) // (count + 1), what, each)
        for what, count in counts.items()
        for each in range(count)
    )
    for moment, what, each in moments:
        await until(lambda moment=moment: bank.answered >= moment, PATIENCE, every=PAUSE)
        if what == "database":
            await bank.kill_database()
        else:
            bank.kill("app", list(TELLERS)[each % len(TELLERS)])


async def pay_in_step(
    bank: Bank, client: aiohttp.ClientSession, journal: Journal, wanted: Payment
) -> tuple[int, str]:
    """Not before the others are as far, so that every kill of the app meets payments."""
    step = PAYMENTS * journal.answered // HTTP_SHARE
    await until(lambda: bank.answered >= step - len(WRITERS), PATIENCE, every=PAUSE)
    return await pay_by_http(client, bank.tokens, wanted)


async def wait_for_tellers(bank: Bank) -> None:
    for name in TELLERS:
        await until(lambda name=name: bank.running[name].exitcode is not None, PATIENCE)
        assert bank.running[name].exitcode == 0


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_day_at_the_bank(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    if TRANSFERS > IN_THE_SUITE:
        faulthandler.cancel_dump_traceback_later()  # it ends what takes ten minutes
    started = monotonic()
    async with database_of(bank) as database:
        purses = await patiently(lambda: purses_of(database))
    for name in ("app", *TELLERS):
        bank.start(name)
    client = aiohttp.ClientSession(bank.address, timeout=aiohttp.ClientTimeout(30))
    async with client, asyncio.TaskGroup() as readers:
        for _ in range(2):
            readers.create_task(read(bank))
        async with asyncio.TaskGroup() as writers:
            for name in BY_HTTP:
                pay = partial(pay_in_step, bank, client, bank.journals[name])
                writers.create_task(write(bank.journals[name], HTTP_SHARE, purses, pay))
            writers.create_task(kill_now_and_then(bank))
        await wait_for_tellers(bank)
        bank.over = True
    assert bank.reads >= LEAST_READS
    done = await close_the_books(bank)
    figures = (
        f"\nbank: {bank.answered:,} payments, {done:,} of them done, {APP_KILLS} kills of the app "
        f"and as many of tellers, {DATABASE_KILLS} of PostgreSQL, {bank.reads:,} reads, "
        f"{monotonic() - started:.0f} s\n"
    )
    with capsys.disabled():
        sys.stdout.write(figures)


async def close_the_books(bank: Bank) -> int:
    """Everything that was answered is there once, and nothing else; how many payments."""
    answers = [each for journal in bank.journals.values() for each in journal.answers()]
    keys = {key for key, _, _ in answers}
    assert len(keys) == len(answers) == PAYMENTS
    paid = [made for _, status, made in answers if status == DONE]
    async with database_of(bank, 600_000) as database, database.engine.connect() as connection:
        assert tuple((await connection.execute(BOOKS)).one()) == (0, 0, 0, 0, 0)
        made = await connection.scalars(text("SELECT id FROM transfers WHERE kind = 'transfer'"))
        assert sorted(paid) == sorted(map(str, made))  # none is missing, none twice, none beside
        total, least = (await connection.execute(TOTAL)).one()
        assert (total, least >= 0) == (WALLETS * EACH, True)
        kept = "SELECT count(*) FROM kept_answers WHERE status = 201"
        assert await connection.scalar(text(kept)) == len(paid)
    return len(paid)
