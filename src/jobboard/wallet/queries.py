"""Which wallets someone sees and spends of, and what stands in them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.accounts.models import Person
from jobboard.accounts.queries import escape_like
from jobboard.accounts.schemas import Actor
from jobboard.companies.models import Company, CompanyMember, MemberRole
from jobboard.errors import NotFound
from jobboard.wallet.models import BoardWallet, Entry, Transfer, TransferKind, TransferMemo, Wallet
from jobboard.wallet.schemas import (
    Direction,
    EntryRead,
    EntrySearch,
    Owner,
    OwnerKind,
    TransferRead,
    WalletRead,
)

SPENDING = (TransferKind.TRANSFER, TransferKind.FEATURE)
Other = aliased(Wallet)
OtherPerson = aliased(Person)
OtherCompany = aliased(Company)
Back = aliased(Transfer)


def spends(person_id: Any) -> ColumnElement[bool]:
    """Whether a person may spend of a wallet: their own, or of a company that lets them."""
    trusted = or_(CompanyMember.role == MemberRole.OWNER, CompanyMember.spending_limit > 0)
    companies = select(CompanyMember.company_id).where(
        CompanyMember.person_id == person_id, trusted
    )
    return or_(Wallet.person_id == person_id, Wallet.company_id.in_(companies))


def visible_to(viewer: Actor) -> ColumnElement[bool]:
    """Wallets that someone may look into: those that they spend of; admins, every one."""
    return true() if viewer.is_admin else spends(viewer.id)


def rows() -> Select:
    """Wallets with their owners' names."""
    return (
        select(
            *(Wallet.id, Wallet.person_id, Wallet.company_id, Wallet.board),
            *(Wallet.currency, Wallet.balance, Wallet.frozen_at, Wallet.created_at),
            func.coalesce(Person.full_name, Company.name, Wallet.board).label("name"),
        )
        .outerjoin(Person, Person.id == Wallet.person_id)
        .outerjoin(Company, Company.id == Wallet.company_id)
    )


def read(row: Row[Any]) -> WalletRead:
    """The shape of such a row."""
    return WalletRead(
        id=row.id,
        owner=_owner(row.person_id, row.company_id, row.name),
        currency=row.currency,
        balance=row.balance,
        frozen=row.frozen_at is not None,
    )


def _owner(person_id: UUID | None, company_id: UUID | None, name: str) -> Owner:
    if person_id is not None:
        return Owner(kind=OwnerKind.PERSON, id=person_id, name=name)
    if company_id is not None:
        return Owner(kind=OwnerKind.COMPANY, id=company_id, name=name)
    return Owner(kind=OwnerKind.BOARD, id=None, name=name)


async def get(session: AsyncSession, viewer: Actor, wallet_id: UUID) -> WalletRead:
    """A wallet that `viewer` may look into, or NotFound."""
    return await _one(session, Wallet.id == wallet_id, visible_to(viewer))


async def of_company(session: AsyncSession, company_id: UUID) -> WalletRead:
    """A company's wallet in the board's main currency, whoever asks. Raises NotFound."""
    return await _one(session, Wallet.company_id == company_id)


async def of_person(session: AsyncSession, person_id: UUID) -> WalletRead:
    """The same of a person."""
    return await _one(session, Wallet.person_id == person_id)


async def of_board(session: AsyncSession, wallet: BoardWallet, currency: str) -> WalletRead:
    """One of the board's own. Raises NotFound where the board has no such currency."""
    return await _one(session, Wallet.board == wallet, Wallet.currency == currency)


async def _one(session: AsyncSession, *conditions: ColumnElement[bool]) -> WalletRead:
    # The first that an owner got is the one in the main currency.
    statement = rows().where(*conditions).order_by(Wallet.id).limit(1)
    row = (await session.execute(statement)).first()
    if row is None:
        raise no_wallet()
    return read(row)


def no_wallet(what: str = "") -> NotFound:
    """No such wallet, or none of theirs: nobody learns which."""
    return NotFound(f"There is no such wallet{what} for you.", code="wallet_not_found")


def own(viewer: Actor, after: tuple[bool, UUID] | None, limit: int) -> Select:
    """The wallets that someone spends of: their own first, then their companies', oldest first,
    one page and one more. `after` is whether the last one was a company's, and its id."""
    order = (Wallet.person_id.is_(None), Wallet.id)
    statement = rows().where(spends(viewer.id)).order_by(*order).limit(limit + 1)
    return statement.where(func.row(*order) > func.row(*after)) if after else statement


def every(q: str | None, before: tuple[datetime, UUID] | None, limit: int) -> Select:
    """Every wallet there is, newest first, one page and one more. `q` is part of an owner's name
    or e-mail address."""
    statement = rows().order_by(Wallet.created_at.desc(), Wallet.id.desc()).limit(limit + 1)
    if q:
        pattern = f"%{escape_like(q.strip())}%"
        names = (Person.full_name, Person.email, Company.name)
        statement = statement.where(or_(*(name.ilike(pattern, escape="\\") for name in names)))
    if before:
        moment = func.row(Wallet.created_at, Wallet.id)
        statement = statement.where(moment < func.row(*before))
    return statement


def statement_of(wallet_id: UUID, search: EntrySearch, before: int | None) -> Select:
    """A wallet's entries, latest first, one page and one more."""
    other = case(
        (Transfer.from_wallet_id == wallet_id, Transfer.to_wallet_id),
        else_=Transfer.from_wallet_id,
    )
    statement = (
        select(
            *(Entry.number, Entry.at, Entry.amount, Entry.balance, Entry.currency),
            *(Entry.transfer_id, Transfer.kind, TransferMemo.memo),
            # Of a company's people only. Who of the board gave something back is not told.
            case((and_(Entry.amount < 0, Transfer.kind.in_(SPENDING)), Person.full_name)).label(
                "by"
            ),
            exists().where(Back.original_id == Transfer.id).label("given_back"),
            *(Other.person_id, Other.company_id),
            func.coalesce(OtherPerson.full_name, OtherCompany.name, Other.board).label("name"),
        )
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .join(Other, Other.id == other)
        .outerjoin(TransferMemo, TransferMemo.transfer_id == Transfer.id)
        .outerjoin(Person, Person.id == Transfer.created_by)
        .outerjoin(OtherPerson, OtherPerson.id == Other.person_id)
        .outerjoin(OtherCompany, OtherCompany.id == Other.company_id)
        .where(Entry.wallet_id == wallet_id, *_wanted(search))
        .order_by(Entry.number.desc())
        .limit(search.limit + 1)
    )
    return statement if before is None else statement.where(Entry.number < before)


def _wanted(search: EntrySearch) -> Iterator[ColumnElement[bool]]:
    if search.kind is not None:
        yield Transfer.kind == search.kind
    if search.direction is not None:
        yield Entry.amount > 0 if search.direction is Direction.IN else Entry.amount < 0
    if search.since is not None:
        yield Entry.at >= search.since
    if search.until is not None:
        yield Entry.at < search.until


def read_entry(row: Row[Any]) -> EntryRead:
    """The shape of such a row."""
    return EntryRead(
        **{name: getattr(row, name) for name in ENTRY},
        memo=row.memo or "",
        other=_owner(row.person_id, row.company_id, row.name),
    )


ENTRY = (
    *("number", "at", "kind", "amount", "balance"),
    *("currency", "transfer_id", "by", "given_back"),
)


async def get_transfer(session: AsyncSession, viewer: Actor, transfer_id: UUID) -> TransferRead:
    """A transfer from or to a wallet that `viewer` may look into, or NotFound."""
    sides = Wallet.id.in_([Transfer.from_wallet_id, Transfer.to_wallet_id])
    seen = select(Wallet.id).where(sides, visible_to(viewer)).exists()
    statement = (
        select(*Transfer.__table__.c, func.coalesce(TransferMemo.memo, "").label("memo"))
        .outerjoin(TransferMemo, TransferMemo.transfer_id == Transfer.id)
        .where(Transfer.id == transfer_id, seen)
    )
    row = (await session.execute(statement)).first()
    if row is None:
        raise NotFound("There is no such transfer for you.", code="transfer_not_found")
    return TransferRead(**{name: getattr(row, name) for name in TransferRead.model_fields})


async def spent_this_month(session: AsyncSession, wallet_id: UUID, person_id: UUID) -> int:
    """What someone spent of a wallet in this calendar month (UTC), less what came back."""
    month = func.date_trunc("month", func.now(), "UTC")
    spent = (
        select(func.sum(Transfer.amount - func.coalesce(Back.amount, 0)))
        .outerjoin(Back, Back.original_id == Transfer.id)
        .where(
            and_(Transfer.from_wallet_id == wallet_id, Transfer.created_by == person_id),
            Transfer.created_at >= month,
            Transfer.kind.in_(SPENDING),
        )
    )
    return int(await session.scalar(spent) or 0)
