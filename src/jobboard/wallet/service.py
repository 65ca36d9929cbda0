"""The verbs of money: transfer, grant, reverse, freeze; and statements."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.errors import Conflict, Invalid
from jobboard.pagination import (
    Page,
    cut,
    decode_cursor,
    encode_cursor,
    moment_cursor,
    read_id,
    read_moment_cursor,
    wrong_cursor,
)
from jobboard.wallet import queries
from jobboard.wallet.ledger import Posted, Posting, post, worded
from jobboard.wallet.models import BoardWallet, Transfer, TransferKind, Wallet
from jobboard.wallet.schemas import (
    EntryRead,
    EntrySearch,
    GrantCreate,
    OwnerKind,
    TransferCreate,
    TransferRead,
    WalletAddress,
    WalletRead,
)

SUBJECTS = {OwnerKind.PERSON: Subject.PERSON, OwnerKind.COMPANY: Subject.COMPANY}


class GivenBack(Conflict):
    """Nothing is given back twice."""

    code = "given_back_before"
    message = "This was given back before."


async def transfer(session: AsyncSession, actor: Actor, data: TransferCreate) -> TransferRead:
    """Pass credits on, of a wallet that `actor` may spend of.

    Raises NotFound, Conflict (a frozen wallet, a limit, InsufficientFunds), Invalid.
    """
    require(actor, Right.SPEND)
    posting = Posting(
        kind=TransferKind.TRANSFER,
        source=data.from_wallet_id,
        target=data.to_wallet_id,
        amount=data.amount,
        currency=data.currency,
        spender=actor.id,
        created_by=actor.id,
        memo=data.memo,
    )
    return _read(posting, await spend(session, posting))


async def spend(session: AsyncSession, posting: Posting) -> Posted:
    """Post what a person spends, and hold them to their limit.

    The limit is looked at afterwards: from the posting to the commit the wallet is locked, so that
    two at once cannot both fit into what is left. Raises Conflict, which takes the posting back.
    """
    posted = await post(session, posting)
    if posted.limit is not None and posting.spender is not None:
        spent = await queries.spent_this_month(session, posting.source, posting.spender)
        if spent > posted.limit:
            left = max(posted.limit - spent + posting.amount, 0)
            raise Conflict(
                f"Your company lets you spend {worded(posted.limit, posting.currency)} a month; "
                f"{worded(left, posting.currency)} are left. Ask an owner to raise it.",
                code="spending_limit_exceeded",
            )
    return posted


def _read(posting: Posting, posted: Posted) -> TransferRead:
    return TransferRead(
        id=posted.id,
        kind=posting.kind,
        from_wallet_id=posting.source,
        to_wallet_id=posting.target,
        amount=posting.amount,
        currency=posting.currency,
        memo=posting.memo,
        original_id=posting.original_id,
        created_at=posted.created_at,
    )


async def grant(
    session: AsyncSession, actor: Actor, wallet_id: UUID, data: GrantCreate
) -> TransferRead:
    """Put credits into circulation. Raises Forbidden, NotFound, Conflict, Invalid."""
    require(actor, Right.MANAGE_MONEY)
    return await issue(session, actor.id, await queries.get(session, actor, wallet_id), data)


async def issue(
    session: AsyncSession, person_id: UUID | None, wallet: WalletRead, data: GrantCreate
) -> TransferRead:
    """The same for the command line, where nobody has logged in."""
    if wallet.owner.kind is OwnerKind.BOARD:
        raise Invalid("The board grants credits to people and companies, not to itself.")
    currency = data.currency or wallet.currency
    source = await queries.of_board(session, BoardWallet.ISSUED, wallet.currency)
    posting = Posting(
        kind=TransferKind.GRANT,
        source=source.id,
        target=wallet.id,
        amount=data.amount,
        currency=currency,
        spender=None,
        created_by=person_id,
        memo=data.memo,
    )
    made = _read(posting, await post(session, posting))
    _record(session, Action.CREDITS_GRANTED, person_id, wallet, made)
    return made


async def reverse(
    session: AsyncSession, actor: Actor, transfer_id: UUID, memo: str = ""
) -> TransferRead:
    """Take a mistake back, whole, by a transfer the other way.

    Once, and not of what gives back itself. Raises NotFound, Conflict: InsufficientFunds where the
    credits are spent already.
    """
    require(actor, Right.MANAGE_MONEY)
    made = await queries.get_transfer(session, actor, transfer_id)
    if made.original_id is not None:
        raise Conflict("This gives something back itself: it is final.", code="transfer_final")
    posting = Posting(
        kind=TransferKind.REVERSAL,
        source=made.to_wallet_id,
        target=made.from_wallet_id,
        amount=made.amount,
        currency=made.currency,
        spender=None,
        created_by=actor.id,
        memo=memo,
        original_id=made.id,
        even_frozen=True,
    )
    posted = await give_back(session, posting)
    sides = [await queries.get(session, actor, side) for side in (posting.source, posting.target)]
    payee = next((each for each in sides if each.owner.id is not None), sides[0])
    _record(session, Action.TRANSFER_REVERSED, actor.id, payee, made)
    return _read(posting, posted)


async def give_back(session: AsyncSession, posting: Posting) -> Posted:
    """Post a refund or a reversal, once for each original. Raises Conflict."""
    given = select(Transfer.id).where(Transfer.original_id == posting.original_id)
    both = (posting.source, posting.target)
    # The lock of the wallets, which `post` takes anyway, comes first: of two who give the same back
    # at once, the second sees what the first did.
    await session.execute(
        select(Wallet.id).where(Wallet.id.in_(both)).order_by(Wallet.id).with_for_update()
    )
    if await session.scalar(given) is not None:
        raise GivenBack
    return await post(session, posting)


async def freeze(
    session: AsyncSession, actor: Actor, wallet_id: UUID, *, frozen: bool
) -> WalletRead:
    """Stop what goes in and out of a wallet, or let it go on. Again changes nothing."""
    require(actor, Right.MANAGE_MONEY)
    wallet = await queries.get(session, actor, wallet_id)
    if wallet.owner.kind is OwnerKind.BOARD:
        raise Invalid("The board's own wallets are never frozen.")
    moved = await session.scalar(
        update(Wallet)
        .where(Wallet.id == wallet_id, Wallet.frozen_at.is_(None) == frozen)
        .values(frozen_at=now() if frozen else None)
        .returning(Wallet.id)
        .execution_options(synchronize_session=False)
    )
    if moved is not None:
        action = Action.WALLET_FROZEN if frozen else Action.WALLET_UNFROZEN
        _record(session, action, actor.id, wallet)
    return wallet.model_copy(update={"frozen": frozen})


def _record(
    session: AsyncSession,
    action: Action,
    person_id: UUID | None,
    wallet: WalletRead,
    about: TransferRead | None = None,
) -> None:
    """Tell the audit log; its subject is the wallet's owner, where that is not the board."""
    details: dict[str, str | int] = {"wallet": str(wallet.id)}
    if about is not None:
        details |= {"transfer": str(about.id), "amount": about.amount, "currency": about.currency}
    kind, owner_id = wallet.owner.kind, wallet.owner.id
    subject = (SUBJECTS[kind], owner_id) if owner_id is not None else None
    audit.record(session, action, person_id=person_id, subject=subject, details=details)


async def list_own(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[WalletRead]:
    """The wallets that `actor` may spend of. Raises Invalid for a wrong cursor."""
    require(actor, Right.SEE_WALLET)
    after = None
    if cursor is not None:
        companys, last = decode_cursor(cursor, bool, str)
        after = companys, read_id(last)
    found = await session.execute(queries.own(actor, after, limit))
    rows, more = cut(found.all(), limit)
    items = [queries.read(row) for row in rows]
    last_one = items[-1] if more else None
    return Page(
        items=items,
        next_cursor=encode_cursor(last_one.owner.kind is OwnerKind.COMPANY, str(last_one.id))
        if last_one
        else None,
    )


async def address(session: AsyncSession, actor: Actor, company_id: UUID) -> WalletAddress:
    """Where credits for a company are sent to, for whoever wants to send some. Raises NotFound."""
    require(actor, Right.SEE_WALLET)
    wallet = await queries.of_company(session, company_id)
    return WalletAddress(id=wallet.id, owner=wallet.owner, currency=wallet.currency)


async def list_all(
    session: AsyncSession, actor: Actor, *, q: str | None, cursor: str | None, limit: int
) -> Page[WalletRead]:
    """Every wallet, the board's included, for admins."""
    require(actor, Right.MANAGE_MONEY)
    found = await session.execute(queries.every(q, read_moment_cursor(cursor), limit))
    rows, more = cut(found.all(), limit)
    last = rows[-1] if more else None
    return Page(
        items=[queries.read(row) for row in rows],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def entries(
    session: AsyncSession, actor: Actor, wallet_id: UUID, search: EntrySearch
) -> Page[EntryRead]:
    """A page of a wallet's statement, latest first. Raises NotFound, Invalid for a wrong cursor."""
    await queries.get(session, actor, wallet_id)
    before = None
    if search.cursor is not None:
        asked, before = decode_cursor(search.cursor, str, int)
        if asked != search.fingerprint() or not 0 < before < 2**63:
            raise wrong_cursor()
    found = await session.execute(queries.statement_of(wallet_id, search, before))
    rows, more = cut(found.all(), search.limit)
    return Page(
        items=[queries.read_entry(row) for row in rows],
        next_cursor=encode_cursor(search.fingerprint(), rows[-1].number) if more else None,
    )
