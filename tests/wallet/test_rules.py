"""The rules of the ledger hold in the database, whatever code is let loose on it."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from tests.factories.people import make_user
from tests.factories.wallets import make_wallet
from tests.timing import waiting_for_locks
from tests.wallet.test_ledger import BOOKS

pytestmark = pytest.mark.anyio

TRANSFER = """
INSERT INTO transfers (kind, from_wallet_id, to_wallet_id, amount, currency, original_id)
VALUES (:kind, :source, :target, :amount, :currency, :original_id) RETURNING id
"""
ENTRY = """
INSERT INTO entries (wallet_id, transfer_id, amount, currency)
VALUES (:wallet, :transfer, :amount, :currency)
"""
TEN = {"kind": "transfer", "amount": 10, "currency": "EUR", "original_id": None}


@dataclass(frozen=True)
class Two:
    """A wallet with 1,000 EUR cents, an empty one, and the transfer that filled the first."""

    rich: UUID
    poor: UUID
    issued: UUID
    grant: UUID


@pytest.fixture
async def two(session: AsyncSession, settings: Settings) -> Two:
    rich, poor = [
        await make_wallet(session, person=(await make_user(session, settings)).id, holds=holds)
        for holds in (1000, 0)
    ]
    issued = await session.scalar(text("SELECT id FROM wallets WHERE board = 'issued'"))
    grant = await session.scalar(text("SELECT id FROM transfers"))
    return Two(rich.id, poor.id, issued, grant)


async def write(
    session: AsyncSession,
    two: Two,
    *entries: tuple[UUID, int] | tuple[UUID, int, str],
    **changes: Any,
) -> None:
    """A transfer of 10 from rich to poor, changed, with these entries; then the commit."""
    await write_down(session, two, *entries, **changes)
    await session.commit()


async def write_down(session: AsyncSession, two: Two, *entries: Any, **changes: Any) -> None:
    """The same without the commit."""
    values = TEN | {"source": two.rich, "target": two.poor} | changes
    made = await session.scalar(text(TRANSFER), values)
    for wallet, amount, *currency in entries:
        given = {"wallet": wallet, "transfer": made, "amount": amount}
        await session.execute(text(ENTRY), given | {"currency": (currency or ["EUR"])[0]})


async def test_a_balanced_transfer_is_taken(session: AsyncSession, two: Two) -> None:
    await write(session, two, (two.rich, -10), (two.poor, 10))
    found = await session.execute(
        text("SELECT number, balance FROM entries WHERE wallet_id = :id ORDER BY 1"),
        {"id": two.rich},
    )
    assert found.all() == [(1, 1000), (2, 990)]


async def test_entries_of_two_at_once_come_one_after_the_other(
    session: AsyncSession, db: Database, two: Two
) -> None:
    both = (two.rich, -10), (two.poor, 10)

    async def second() -> None:
        async with db.transaction() as other:
            await write_down(other, two, *both)

    await write_down(session, two, *both)
    waiting = asyncio.create_task(second())
    await waiting_for_locks(db)
    await session.commit()
    await waiting
    found = await session.execute(
        text("SELECT number, balance FROM entries WHERE wallet_id = :id ORDER BY at"),
        {"id": two.rich},
    )
    assert found.all() == [(1, 1000), (2, 990), (3, 980)]
    assert tuple((await session.execute(BOOKS)).one()) == (0, 0, 0, 0, 0)


async def test_a_wallet_moves_once_in_a_statement(session: AsyncSession, two: Two) -> None:
    transfers = [
        await session.scalar(text(TRANSFER), TEN | {"source": two.rich, "target": two.poor})
        for _ in range(2)
    ]
    several = (
        "INSERT INTO entries (wallet_id, transfer_id, amount, currency) "
        "SELECT :rich, unnest(CAST(:transfers AS uuid[])), -10, 'EUR'"
    )
    with pytest.raises(IntegrityError, match="pk_entries"):
        await session.execute(text(several), {"rich": two.rich, "transfers": transfers})


async def assert_refused(
    session: AsyncSession, words: str, two: Two, *entries: Any, **more: Any
) -> None:
    with pytest.raises(IntegrityError, match=words):
        await write(session, two, *entries, **more)
    await session.rollback()
    balances = await session.execute(text("SELECT id, balance FROM wallets WHERE balance <> 0"))
    assert dict(balances.all()) == {two.rich: 1000, two.issued: -1000}


async def test_entries_must_cancel_out(session: AsyncSession, two: Two) -> None:
    rich, poor, issued = two.rich, two.poor, two.issued
    words = "do not balance"
    await assert_refused(session, words, two)
    await assert_refused(session, words, two, (rich, -10))
    await assert_refused(session, words, two, (rich, -10), (poor, 9))
    await assert_refused(session, words, two, (rich, -20), (poor, 20))
    await assert_refused(session, words, two, (rich, 10), (issued, -10))
    await assert_refused(session, words, two, (poor, 10), (issued, -10))
    sides = "uq_entries_sides"
    await assert_refused(session, sides, two, (rich, -10), (poor, 5), (poor, 5))
    await assert_refused(session, sides, two, (rich, -10), (poor, 10), (rich, 5), (poor, -5))


async def test_nothing_is_added_to_an_old_transfer(session: AsyncSession, two: Two) -> None:
    for wallet, amount in ((two.poor, 5), (two.rich, -5)):
        values = {"wallet": wallet, "transfer": two.grant, "amount": amount, "currency": "EUR"}
        with pytest.raises(IntegrityError, match="uq_entries_sides"):
            await session.execute(text(ENTRY), values)
        await session.rollback()


async def test_a_balance_stays_above_its_floor(session: AsyncSession, two: Two) -> None:
    rich, poor = two.rich, two.poor
    await assert_refused(session, "above_floor", two, (rich, -1001), (poor, 1001), amount=1001)


async def test_currencies_do_not_mix(session: AsyncSession, two: Two, settings: Settings) -> None:
    rich, poor = two.rich, two.poor
    words = "does not hold"
    await assert_refused(session, words, two, (rich, -10, "USD"), (poor, 10, "USD"), currency="USD")
    other = await make_user(session, settings, Role.EMPLOYER)
    dollars = await session.scalar(
        text("INSERT INTO wallets (person_id, currency) VALUES (:id, 'USD') RETURNING id"),
        {"id": other.id},
    )
    await session.commit()
    mixed = (rich, -10), (dollars, 10, "USD")
    await assert_refused(session, "do not balance", two, *mixed, target=dollars)
    await assert_refused(session, words, two, (rich, -10), (dollars, 10), target=dollars)


async def test_what_is_given_back_goes_the_way_back(session: AsyncSession, two: Two) -> None:
    rich, poor, issued, words = two.rich, two.poor, two.issued, "does not give back"
    back = {"kind": "reversal", "original_id": two.grant}
    whole = {"source": rich, "target": issued, "amount": 1000}
    await assert_refused(session, words, two, **back)
    await assert_refused(session, words, two, **back | whole | {"amount": 999})
    await assert_refused(session, words, two, **back | whole | {"kind": "refund", "amount": 1001})
    await assert_refused(session, words, two, **back | whole | {"target": poor})
    await assert_refused(session, "gives_back", two, kind="reversal")
    await assert_refused(session, words, two, original_id=two.grant)
    part = {"kind": "refund", "original_id": two.grant, "source": rich, "target": issued}
    await write(session, two, (rich, -10), (issued, 10), **part)
    with pytest.raises(IntegrityError, match="uq_transfers_original_id"):
        await write(session, two, (rich, -10), (issued, 10), **part)


LEDGER = "are never changed"
MOVED = "only entries move"
BREAK_INS = [
    ("UPDATE transfers SET amount = 1", LEDGER),
    ("DELETE FROM transfers", LEDGER),
    ("UPDATE entries SET amount = 1", LEDGER),
    ("DELETE FROM entries", LEDGER),
    ("TRUNCATE transfers, entries, transfer_memos, job_features", LEDGER),
    ("TRUNCATE entries", LEDGER),
    ("UPDATE wallets SET balance = balance + 1", MOVED),
    ("UPDATE wallets SET entry_count = 0", MOVED),
    ("UPDATE wallets SET currency = 'USD' WHERE board IS NULL AND balance > 0", MOVED),
    ("UPDATE wallets SET floor = NULL WHERE board IS NULL", "one_may_owe"),
    ("UPDATE wallets SET floor = -5 WHERE board IS NULL", "one_may_owe"),
    (
        "UPDATE wallets SET person_id = (SELECT max(id::text)::uuid FROM people) WHERE balance > 0",
        MOVED,
    ),
    ("DELETE FROM wallets WHERE balance > 0", "fk_transfers_to_wallet_id"),
    (
        "DELETE FROM people WHERE id = (SELECT person_id FROM wallets WHERE balance > 0)",
        "fk_transfers_to_wallet_id",
    ),
    ("INSERT INTO wallets (board, currency, balance) VALUES ('revenue', 'USD', 5)", MOVED),
    ("INSERT INTO wallets (currency) VALUES ('EUR')", "one_owner"),
    (
        "INSERT INTO wallets (person_id, currency) SELECT person_id, 'EUR' FROM wallets"
        " WHERE person_id IS NOT NULL",
        "uq_wallets_person_id_currency",
    ),
    (
        "INSERT INTO entries (wallet_id, number, transfer_id, amount, currency, balance)"
        " SELECT wallet_id, 1, transfer_id, amount, currency, 5 FROM entries",
        "uq_entries_sides",
    ),
]


@pytest.mark.parametrize(("statement", "words"), BREAK_INS)
async def test_nobody_writes_past_the_rules(
    session: AsyncSession, two: Two, statement: str, words: str
) -> None:
    assert two
    await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    with pytest.raises(DBAPIError, match=words):
        await session.execute(text(statement))


async def test_every_owner_has_a_wallet(session: AsyncSession, settings: Settings) -> None:
    await make_user(session, settings)
    await make_user(session, settings, Role.EMPLOYER)
    without = (
        "SELECT count(*) FROM people p LEFT JOIN wallets w ON w.person_id = p.id WHERE w.id IS NULL"
    )
    assert await session.scalar(text(without)) == 0


async def test_an_entry_that_is_not_stored_moves_nothing(session: AsyncSession, two: Two) -> None:
    again = (
        "INSERT INTO entries (wallet_id, transfer_id, amount, currency) "
        "SELECT wallet_id, transfer_id, amount, currency FROM entries ON CONFLICT DO NOTHING"
    )
    await session.execute(text(again))
    await session.commit()
    held = await session.execute(
        text("SELECT balance, entry_count FROM wallets WHERE id = :id"), {"id": two.rich}
    )
    assert held.all() == [(1000, 1)]
