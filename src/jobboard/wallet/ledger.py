"""Moving credits: one statement, which locks, decides and writes.

`post` is the only way into the ledger. Its statement locks both wallets in the order of their ids,
so that no two transfers wait for each other; what it then reads of them is true until the commit.
Where a condition fails it writes nothing, and another look at what it read says which. Underneath,
the database holds the rules that no code can break (see `models`).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Row,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    insert,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import CompanyMember, MemberRole
from jobboard.errors import Conflict, Invalid
from jobboard.infra.currencies import exponent
from jobboard.infra.prepared import Prepared
from jobboard.wallet.models import Entry, Transfer, TransferKind, TransferMemo, Wallet
from jobboard.wallet.queries import no_wallet, spends


class InsufficientFunds(Conflict):
    """The wallet holds less; `shortfall` is what is missing, in minor units."""

    code = "insufficient_funds"

    def __init__(self, balance: int, shortfall: int, currency: str) -> None:
        super().__init__(
            f"The wallet holds {worded(balance, currency)}: {worded(shortfall, currency)} are "
            "missing."
        )
        self.more = {"shortfall": shortfall}


def worded(amount: int, currency: str) -> str:
    """12.50 EUR"""
    digits = exponent(currency)
    return f"{Decimal(amount).scaleb(-digits):,.{digits}f} {currency}"


@dataclass(frozen=True, slots=True)
class Posting:
    """What shall move. `spender` must have a right to the source; None: the board itself acts.

    `even_frozen` is for what puts things right: a frozen wallet stops all else, in and out.
    """

    kind: TransferKind
    source: UUID
    target: UUID
    amount: int
    currency: str
    spender: UUID | None
    created_by: UUID | None
    memo: str = ""
    original_id: UUID | None = None
    even_frozen: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """What moved. `limit` is what the spender may spend of this wallet in a month, if limited."""

    id: UUID
    created_at: datetime
    limit: int | None


KIND = bindparam("kind", type_=Text)
SOURCE = bindparam("source", type_=Uuid)
TARGET = bindparam("target", type_=Uuid)
AMOUNT = bindparam("amount", type_=BigInteger)
CURRENCY = bindparam("currency", type_=Text)
SPENDER = bindparam("spender", type_=Uuid)
CREATED_BY = bindparam("created_by", type_=Uuid)
MEMO = bindparam("memo", type_=Text)
ORIGINAL = bindparam("original_id", type_=Uuid)
EVEN_FROZEN = bindparam("even_frozen", type_=Boolean)


def _limit() -> ScalarSelect[int]:
    """How much the spender may spend of a company's wallet in a month; NULL: as much as it has."""
    return (
        select(CompanyMember.spending_limit)
        .where(
            CompanyMember.company_id == Wallet.company_id,
            CompanyMember.person_id == SPENDER,
            CompanyMember.role != MemberRole.OWNER,
        )
        .scalar_subquery()
    )


def _held() -> Select:
    """Both wallets, locked to the commit, with what decides whether credits may move.

    Whether it is the spender's to spend is asked of the source alone.
    """
    return (
        select(
            *(Wallet.id, Wallet.board, Wallet.currency, Wallet.balance, Wallet.floor),
            (Wallet.frozen_at.is_not(None) & ~EVEN_FROZEN).label("frozen"),
            or_(Wallet.id != SOURCE, SPENDER.is_(None), spends(SPENDER)).label("spendable"),
            _limit().label("limit"),
        )
        .where(Wallet.id.in_([SOURCE, TARGET]))
        .order_by(Wallet.id)
        .with_for_update(of=Wallet)
    )


def _statement() -> Select:
    """One row of what moved, or none."""
    held = HELD.cte("held")
    source, target = held.alias("source"), held.alias("target")
    possible = and_(
        source.c.spendable,
        or_(KIND != TransferKind.TRANSFER, target.c.board.is_(None)),
        ~source.c.frozen,
        ~target.c.frozen,
        source.c.currency == CURRENCY,
        target.c.currency == CURRENCY,
        or_(source.c.floor.is_(None), source.c.balance - AMOUNT >= source.c.floor),
    )
    written = (KIND, source.c.id, target.c.id, AMOUNT, CURRENCY, ORIGINAL, CREATED_BY)
    names = ("kind", "from_wallet_id", "to_wallet_id", "amount", "currency")
    made = (
        insert(Transfer)
        .from_select(
            [*names, "original_id", "created_by"],
            select(*written)
            .select_from(source.join(target, target.c.id != source.c.id))
            .where(source.c.id == SOURCE, possible),
        )
        .returning(Transfer.id, Transfer.created_at)
        .cte("made")
    )
    change = case((held.c.id == SOURCE, -AMOUNT), else_=AMOUNT)
    entries = (
        insert(Entry)
        .from_select(
            ["wallet_id", "transfer_id", "amount", "currency"],
            select(held.c.id, made.c.id, change, CURRENCY)
            .select_from(held.join(made, true()))
            .order_by(held.c.id),
        )
        .cte("posted")
    )
    memo = (
        insert(TransferMemo)
        .from_select(["transfer_id", "memo"], select(made.c.id, MEMO).where(MEMO != ""))
        .cte("noted")
    )
    return (
        select(made.c.id, made.c.created_at, held.c.limit)
        .select_from(made.join(held, held.c.id == SOURCE))
        .add_cte(entries, memo)
    )


HELD = _held()
POST = Prepared(_statement())


async def post(session: AsyncSession, posting: Posting) -> Posted:
    """Move credits. Raises Invalid, NotFound, Conflict, and InsufficientFunds."""
    if posting.source == posting.target:
        raise Invalid.field("to_wallet_id", "A wallet cannot pay itself.", code="same_wallet")
    given = {name: getattr(posting, name) for name in Posting.__slots__}
    moved = await POST.first(session, given)
    if moved is None:
        wallets = {row.id: row for row in await session.execute(HELD, given)}
        raise _refusal(posting, wallets.get(posting.source), wallets.get(posting.target))
    return Posted(moved.id, moved.created_at, moved.limit)


def _refusal(posting: Posting, source: Row[Any] | None, target: Row[Any] | None) -> Exception:
    """Why nothing was written, what its sender can mend first."""
    passed_on = posting.kind is TransferKind.TRANSFER
    if source is None or not source.spendable:
        return no_wallet(" to spend of")
    if target is None or (passed_on and target.board is not None):
        return no_wallet(" to pay into")
    for wallet, does in ((source, "pays out"), (target, "takes in")):
        if wallet.currency != posting.currency:
            words = f"The wallet that {does} holds {wallet.currency}. Currencies are never mixed."
            return Invalid.field("currency", words, code="currency_mismatch")
    for wallet, does in ((source, "pays out"), (target, "takes in")):
        if wallet.frozen:
            return Conflict(f"The wallet that {does} is frozen.", code="wallet_frozen")
    left = source.balance - source.floor
    return InsufficientFunds(source.balance, posting.amount - left, source.currency)
