"""One process of the bank test: writers that pay through `wallet.service` until their work is done.

python -m tests.e2e.teller DATABASE_URL JOURNAL WRITERS PAYMENTS

It may be killed at any moment and started again with the same arguments: what each writer has been
answered stands in its journal, a line for each payment, and it goes on after the last of them. The
payment under way is sent again with its key, as a client does that heard no answer.
"""

import asyncio
import hashlib
import random
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import uvloop
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jobboard.accounts.models import Person, Role
from jobboard.accounts.schemas import Actor
from jobboard.errors import Conflict
from jobboard.infra import idempotency
from jobboard.infra.postgres import Database
from jobboard.wallet import service
from jobboard.wallet.models import Wallet
from jobboard.wallet.schemas import TransferCreate

DONE, REFUSED = 201, 409
SILENT = (DBAPIError, PoolTimeout, OSError)  # the server is gone: try again
PAUSE = 0.1
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Purse:
    """A wallet and whose it is."""

    wallet: UUID
    owner: UUID


@dataclass(frozen=True)
class Payment:
    """What a writer wants to happen once, whoever has to ask how often."""

    key: str
    source: Purse
    target: Purse
    amount: int

    @property
    def body(self) -> TransferCreate:
        """As it is sent."""
        return TransferCreate(
            from_wallet_id=self.source.wallet,
            to_wallet_id=self.target.wallet,
            amount=self.amount,
            currency="EUR",
        )


def payment(writer: str, number: int, purses: Sequence[Purse]) -> Payment:
    """The same for the same numbers. Half of all pass through one hot wallet, the first."""
    dice = random.Random(f"{writer}-{number}")
    pair = dice.sample(purses[1:], 2)
    if dice.random() < 0.5:
        pair[dice.randrange(2)] = purses[0]
    return Payment(f"{writer}-{number}", pair[0], pair[1], dice.randrange(1, 400))


async def purses_of(database: Database) -> list[Purse]:
    """All wallets of people, in one order for everyone."""
    statement = select(Wallet.id, Person.id).join(Person, Person.id == Wallet.person_id)
    async with database.transaction() as session:
        rows = await session.execute(statement.order_by(Wallet.id))
        return [Purse(wallet, owner) for wallet, owner in rows]


async def pay(database: Database, wanted: Payment) -> tuple[int, str]:
    """Status and transfer, as the door does it: key, effect and answer in one transaction."""
    answer_id = hashlib.sha256(wanted.key.encode()).digest()
    owner = wanted.source.owner
    actor = Actor(owner, "", "", Role.CANDIDATE, owner)
    try:
        async with database.transaction() as session:
            if not await idempotency.claim(session, answer_id, owner):
                kept = await idempotency.kept(session, answer_id, b"")
                return DONE, kept.body.decode()
            made = await service.transfer(session, actor, wanted.body)
            body = str(made.id).encode()
            await idempotency.keep(session, answer_id, b"", status=DONE, headers=[], body=body)
    except Conflict as error:
        if error.code != "insufficient_funds":
            raise
        return REFUSED, "-"
    return DONE, str(made.id)


async def write(database: Database, name: str, payments: int, journal: Path) -> None:
    """One writer, from where its journal ends."""
    purses = await patiently(lambda: purses_of(database))
    with journal.open("a+", buffering=1) as lines:
        lines.seek(0)
        for number in range(len(lines.readlines()), payments):
            wanted = payment(name, number, purses)
            status, made = await patiently(partial(pay, database, wanted))
            lines.write(f"{wanted.key} {status} {made}\n")


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until someone answers."""
    while True:
        try:
            return await ask()
        except SILENT:
            await asyncio.sleep(PAUSE)


async def main(url: str, journal: Path, writers: Sequence[str], payments: int) -> None:
    """All writers of this process at once."""
    database = Database(url, pool_size=len(writers))
    each = (write(database, name, payments, journal / name) for name in writers)
    await asyncio.gather(*each)
    await database.close()


if __name__ == "__main__":
    url, folder, names, number = sys.argv[1:]
    uvloop.run(main(url, Path(folder), names.split(","), int(number)))
