"""Wallets, their statements, and transfers between them."""

from typing import Annotated

from fastapi import Query

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.deps import LIMIT, Cursor, Limit, PathId, SessionDep, Words, acts
from jobboard.api.idempotency import NEEDS_KEY
from jobboard.api.route import Router
from jobboard.jobs import featuring
from jobboard.pagination import Page
from jobboard.wallet import queries, service
from jobboard.wallet.schemas import (
    EntryRead,
    EntrySearch,
    GrantCreate,
    ReversalCreate,
    TransferCreate,
    TransferRead,
    WalletAddress,
    WalletRead,
)

router = Router(tags=["wallet"])

ReaderDep = Annotated[Actor, acts(Right.SEE_WALLET)]
SpenderDep = Annotated[Actor, acts(Right.SPEND)]
TreasurerDep = Annotated[Actor, acts(Right.MANAGE_MONEY)]


@router.get("/wallets")
async def list_wallets(
    session: SessionDep, actor: ReaderDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[WalletRead]:
    """The wallets that I may spend of: my own, then those of companies that let me."""
    return await service.list_own(session, actor, cursor=cursor, limit=limit)


@router.get("/wallets/{id}")
async def get_wallet(wallet_id: PathId, session: SessionDep, actor: ReaderDep) -> WalletRead:
    """One wallet."""
    return await queries.get(session, actor, wallet_id)


@router.get("/wallets/{id}/entries")
async def list_entries(
    wallet_id: PathId,
    query: Annotated[EntrySearch, Query()],
    session: SessionDep,
    actor: ReaderDep,
) -> Page[EntryRead]:
    """A wallet's statement, latest entry first, each with the balance after it."""
    return await service.entries(session, actor, wallet_id, query)


@router.get("/companies/{id}/wallet")
async def get_company_wallet(
    company_id: PathId, session: SessionDep, actor: ReaderDep
) -> WalletAddress:
    """Where credits for a company are sent to."""
    return await service.address(session, actor, company_id)


@router.post("/transfers", status_code=201, dependencies=[NEEDS_KEY])
async def create_transfer(
    data: TransferCreate, session: SessionDep, actor: SpenderDep
) -> TransferRead:
    """Pass credits on, to a person or a company.

    It happens once for each `Idempotency-Key`, however often it is sent, and whole or not at all.
    It is final: only an admin can reverse it.
    """
    return await service.transfer(session, actor, data)


@router.get("/transfers/{id}")
async def get_transfer(transfer_id: PathId, session: SessionDep, actor: ReaderDep) -> TransferRead:
    """One transfer."""
    return await queries.get_transfer(session, actor, transfer_id)


@router.get("/admin/wallets")
async def list_all_wallets(
    session: SessionDep,
    actor: TreasurerDep,
    q: Words = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[WalletRead]:
    """Every wallet, newest first; `q` is part of an owner's name or e-mail address."""
    return await service.list_all(session, actor, q=q, cursor=cursor, limit=limit)


@router.post("/admin/wallets/{id}/grants", status_code=201, dependencies=[NEEDS_KEY])
async def grant_credits(
    wallet_id: PathId, data: GrantCreate, session: SessionDep, actor: TreasurerDep
) -> TransferRead:
    """Put new credits into a wallet. The board's own wallet of issued credits owes them."""
    return await service.grant(session, actor, wallet_id, data)


@router.post("/admin/wallets/{id}/freeze")
async def freeze_wallet(wallet_id: PathId, session: SessionDep, actor: TreasurerDep) -> WalletRead:
    """Stop what goes in and out of a wallet. Refunds and reversals still do."""
    return await service.freeze(session, actor, wallet_id, frozen=True)


@router.post("/admin/wallets/{id}/unfreeze")
async def unfreeze_wallet(
    wallet_id: PathId, session: SessionDep, actor: TreasurerDep
) -> WalletRead:
    """Let a frozen wallet go on."""
    return await service.freeze(session, actor, wallet_id, frozen=False)


@router.post("/admin/transfers/{id}/reverse", status_code=201, dependencies=[NEEDS_KEY])
async def reverse_transfer(
    transfer_id: PathId, data: ReversalCreate, session: SessionDep, actor: TreasurerDep
) -> TransferRead:
    """Take a mistake back, whole, by a transfer the other way. Once.

    If it paid for a featured job, the days that are left of it end.
    """
    return await featuring.take_back(session, actor, transfer_id, data.memo)
