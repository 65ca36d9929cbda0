"""Wallets, transfers and their entries. Amounts are integers in minor units of a currency.

The rules stand in the database, as constraints here and as triggers in the migrations, so that no
code can break them: an entry goes on from the one before it and moves its wallet; at the commit
each transfer has exactly two entries, which cancel out; ledger rows are never changed or deleted.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words

MAX_MEMO = 200


class BoardWallet(StrEnum):
    """The board's own wallets: where credits come from, and where what is paid for goes."""

    ISSUED = "issued"
    REVENUE = "revenue"


class TransferKind(StrEnum):
    """Why credits moved."""

    TRANSFER = "transfer"  # someone passed credits on
    GRANT = "grant"  # an admin put credits into circulation
    FEATURE = "feature"  # a company paid for a job to stand first
    REFUND = "refund"  # part of what was paid came back
    REVERSAL = "reversal"  # an admin took a mistake back, whole


class Wallet(Base):
    """What one owner has in one currency. A trigger makes it together with its owner.

    `balance` and `entry_count` are moved by entries alone; a trigger refuses everything else. Only
    the wallet that credits are issued from has no floor: its debt is what the others have.
    """

    __tablename__ = "wallets"
    __table_args__ = (
        CheckConstraint("num_nonnulls(person_id, company_id, board) = 1", name="one_owner"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_form"),
        CheckConstraint("balance >= floor", name="above_floor"),
        CheckConstraint(
            "floor IS NOT DISTINCT FROM CASE WHEN board = 'issued' THEN NULL ELSE 0 END",
            name="one_may_owe",
        ),
        Index("uq_wallets_person_id_currency", "person_id", "currency", unique=True),
        Index("uq_wallets_company_id_currency", "company_id", "currency", unique=True),
        Index("uq_wallets_board_currency", "board", "currency", unique=True),
        {"postgresql_with": {"fillfactor": 50}},  # a balance moves within its page
    )

    id: Mapped[Id]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    board: Mapped[BoardWallet | None] = mapped_column(words(BoardWallet))
    currency: Mapped[str]
    balance: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    entry_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    floor: Mapped[int | None] = mapped_column(BigInteger, server_default=text("0"))
    frozen_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class Transfer(Base):
    """Credits that moved from one wallet to another, once and for good.

    `created_by` is a plain id: an erased person's is nobody's. `original_id` is what a refund or a
    reversal gives back; a transfer has one of these at most.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("from_wallet_id <> to_wallet_id", name="two_wallets"),
        CheckConstraint(
            "(kind IN ('refund', 'reversal')) = (original_id IS NOT NULL)", name="gives_back"
        ),
        # Of a person, and of what they spent of one wallet since when.
        Index("ix_transfers_spent", "created_by", "from_wallet_id", "created_at"),
        Index(
            "uq_transfers_original_id",
            "original_id",
            unique=True,
            postgresql_where=text("original_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    kind: Mapped[TransferKind] = mapped_column(words(TransferKind))
    from_wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallets.id"))
    to_wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallets.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    original_id: Mapped[UUID | None] = mapped_column(ForeignKey("transfers.id"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[CreatedAt]


class Entry(Base):
    """One wallet's side of a transfer. A trigger numbers it and writes the balance after it."""

    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount_sign"),
        # One side each: nothing is added to a transfer that has both.
        Index("uq_entries_sides", "transfer_id", text("(amount > 0)"), unique=True),
    )

    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallets.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    balance: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[CreatedAt]


class TransferMemo(Base):
    """What someone wrote about a transfer: beside the ledger, so that it can be erased."""

    __tablename__ = "transfer_memos"
    __table_args__ = (
        CheckConstraint(f"char_length(memo) BETWEEN 1 AND {MAX_MEMO}", name="memo_length"),
    )

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"), primary_key=True)
    memo: Mapped[str]
