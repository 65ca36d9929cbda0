"""Those who pay in the bank test: what they pay, and how, until they are answered.

A teller is a process with writers that pay through `wallet.service`; `pay_by_http` is a client of
the whole product. Whoever hears no answer sends the same payment again with its key.
"""

import asyncio
import hashlib
import os
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import aiohttp
import uvicorn
import uvloop
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jobboard.accounts.models import Person, Role
from jobboard.accounts.schemas import Actor
from jobboard.asgi import create_app
from jobboard.errors import Conflict
from jobboard.infra import idempotency
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from jobboard.wallet import service
from jobboard.wallet.models import Wallet
from jobboard.wallet.schemas import TransferCreate

DONE, REFUSED, BUSY = 201, 409, 503
NOTHING = "-" * 36  # in the place of a transfer's id
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
    def body(self) -> dict[str, str | int]:
        """As it is sent."""
        return {
            "from_wallet_id": str(self.source.wallet),
            "to_wallet_id": str(self.target.wallet),
            "amount": self.amount,
            "currency": "EUR",
        }


def payment(writer: str, number: int, purses: Sequence[Purse]) -> Payment:
    """The same for the same numbers. Half of all pass through one hot wallet, the first."""
    dice = random.Random(f"{writer}-{number}")
    pair = dice.sample(purses[1:], 2)
    if dice.random() < 0.5:
        pair[dice.randrange(2)] = purses[0]
    return Payment(f"{writer}-{number:06}", pair[0], pair[1], dice.randrange(1, 400))


class Journal:
    """What a writer was answered: a line of one length for each payment, in their order."""

    LINE = len("a1-000000 201 ") + len(NOTHING) + 1

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    @property
    def answered(self) -> int:
        """How many."""
        return self.path.stat().st_size // self.LINE

    def note(self, wanted: Payment, status: int, made: str) -> None:
        """One more, whole or not at all."""
        with self.path.open("ab", buffering=0) as lines:
            lines.write(f"{wanted.key} {status} {made}\n".encode())

    def answers(self) -> list[tuple[str, int, str]]:
        """Key, status and transfer of each."""
        rows = (line.split() for line in self.path.read_text().splitlines())
        return [(key, int(status), made) for key, status, made in rows]


async def purses_of(database: Database) -> list[Purse]:
    """All wallets of people, in one order for everyone."""
    statement = select(Wallet.id, Person.id).join(Person, Person.id == Wallet.person_id)
    async with database.transaction() as session:
        rows = await session.execute(statement.order_by(Wallet.id))
        return [Purse(wallet, owner) for wallet, owner in rows]


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until someone answers."""
    while True:
        try:
            return await ask()
        except SILENT:
            await asyncio.sleep(PAUSE)


async def write(
    journal: Journal,
    payments: int,
    purses: Sequence[Purse],
    pay: Callable[[Payment], Awaitable[tuple[int, str]]],
) -> None:
    """One writer, from where their journal ends."""
    for number in range(journal.answered, payments):
        wanted = payment(journal.path.name, number, purses)
        journal.note(wanted, *await pay(wanted))


async def pay_by_service(database: Database, wanted: Payment) -> tuple[int, str]:
    """Status and transfer, as the door does it: key, effect and answer in one transaction."""
    answer_id = hashlib.sha256(wanted.key.encode()).digest()
    owner = wanted.source.owner
    actor = Actor(owner, "", "", Role.CANDIDATE, owner)
    try:
        async with database.transaction() as session:
            if not await idempotency.claim(session, answer_id, owner):
                kept = await idempotency.kept(session, answer_id, b"")
                return DONE, kept.body.decode()
            data = TransferCreate.model_validate(wanted.body)
            made = str((await service.transfer(session, actor, data)).id)
            await idempotency.keep(
                session, answer_id, b"", status=DONE, headers=[], body=made.encode()
            )
    except Conflict as error:
        if error.code != "insufficient_funds":
            raise
        return REFUSED, NOTHING
    return DONE, made


async def pay_by_http(
    client: aiohttp.ClientSession, tokens: Mapping[UUID, str], wanted: Payment
) -> tuple[int, str]:
    """The same of the whole product, asked again with the key until there is an answer."""
    headers = {
        "Authorization": f"Bearer {tokens[wanted.source.owner]}",
        "Idempotency-Key": wanted.key,
    }
    while True:
        try:
            async with client.post(
                "/api/v1/transfers", json=wanted.body, headers=headers
            ) as response:
                status, answer = response.status, await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            status = BUSY
        if status == DONE:
            return DONE, answer["id"]
        if status == REFUSED and answer["code"] == "insufficient_funds":
            return REFUSED, NOTHING
        assert status in {REFUSED, BUSY}, answer
        await asyncio.sleep(PAUSE)


async def _work(url: str, journals: Sequence[Path], payments: int) -> None:
    database = Database(url, pool_size=len(journals))
    purses = await patiently(lambda: purses_of(database))

    async def pay(wanted: Payment) -> tuple[int, str]:
        return await patiently(partial(pay_by_service, database, wanted))

    await asyncio.gather(*(write(Journal(path), payments, purses, pay) for path in journals))
    await database.close()


def be_a_teller(url: str, journals: Sequence[Path], payments: int) -> None:
    """What a process of the bank does: its writers pay until all is answered.

    It may be killed at any moment and started again: it goes on where the journals end.
    """
    _say_nothing()
    uvloop.run(_work(url, journals, payments))


def be_the_app(settings: Mapping[str, str], port: int) -> None:
    """The web process, as `jobboard up` runs it."""
    _say_nothing()
    app = create_app(Settings.from_environment(settings))
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False
    )


def _say_nothing() -> None:
    """Whoever is killed in the midst of work, or loses the database, has much to tell."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
