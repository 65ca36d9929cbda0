"""Wallets for moderators: find one, read its statement, grant, freeze, take a mistake back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.jobs import featuring
from jobboard.wallet import queries, service
from jobboard.wallet.schemas import GrantCreate
from jobboard.web.deps import EnginesDep, FormDep, SessionDep, local_path, redirect
from jobboard.web.desk import AdminDep, Cursor, href, outcome
from jobboard.web.formatting import money
from jobboard.web.forms import Form
from jobboard.web.rendering import render
from jobboard.web.wallet import (
    LABELS,
    Asked,
    AskedDep,
    amount_of,
    claim_form,
    csv_of,
    new_form,
    statement,
)

router = APIRouter(prefix="/admin", include_in_schema=False)

WALLETS = 50


@router.get("/wallets")
async def show_wallets(
    request: Request,
    session: SessionDep,
    actor: AdminDep,
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """Every wallet, newest first; `q` is part of an owner's name or e-mail address."""
    words = q.strip() or None
    page = await service.list_all(session, actor, q=words, cursor=cursor, limit=WALLETS)
    more = href("/admin/wallets", q=words, cursor=page.next_cursor)
    return render(
        request,
        "admin/wallets.html",
        private=True,
        q=q,
        wallets=page.items,
        first_href=href("/admin/wallets", q=words) if cursor else None,
        next_href=more if page.next_cursor else None,
    )


@router.get("/wallets/{wallet_id}")
async def show_wallet(
    request: Request,
    wallet_id: UUID,
    session: SessionDep,
    actor: AdminDep,
    asked: AskedDep,
    cursor: Cursor = None,
) -> HTMLResponse:
    """One wallet with its statement."""
    return await _page(request, session, actor, wallet_id, new_form(), asked, cursor)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    wallet_id: UUID,
    form: Form,
    asked: Asked,
    cursor: str | None = None,
) -> HTMLResponse:
    wallet = await queries.get(session, actor, wallet_id)
    return render(
        request,
        "admin/wallet.html",
        status=form.status,
        private=True,
        form=form,
        labels=LABELS,
        here=f"/admin/wallets/{wallet_id}",
        href=href,
        **await statement(session, actor, wallet, asked, cursor),
    )


@router.get("/wallets/{wallet_id}/statement.csv")
async def download_statement(
    wallet_id: UUID,
    engines: EnginesDep,
    session: SessionDep,
    actor: AdminDep,
    asked: AskedDep,
) -> StreamingResponse:
    """All entries that are asked for."""
    return csv_of(engines, actor, await queries.get(session, actor, wallet_id), asked)


@router.post("/wallets/{wallet_id}/grants")
async def grant_credits(
    request: Request, wallet_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> Response:
    """Put credits into a wallet."""
    wallet = await queries.get(session, actor, wallet_id)
    async with form.attempt(session):
        form.require("amount")
        amount = amount_of(form, "amount", wallet.currency)
        data = form.parse(GrantCreate, amount=amount, currency=wallet.currency)
        await claim_form(request, session, actor, form)
        await service.grant(session, actor, wallet_id, data)
        text = f"{wallet.owner.name} has {money(amount, wallet.currency)} more now."
        return redirect(request, f"/admin/wallets/{wallet_id}", text)
    return await _page(request, session, actor, wallet_id, form, Asked())


@router.post("/wallets/{wallet_id}/frozen")
async def freeze_wallet(
    request: Request, wallet_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> RedirectResponse:
    """Stop what goes in and out, or let it go on."""
    frozen = form.value("frozen") == "yes"
    async with form.attempt(session):
        await service.freeze(session, actor, wallet_id, frozen=frozen)
    text = "The wallet is frozen." if frozen else "The wallet is open again."
    return outcome(request, form, f"/admin/wallets/{wallet_id}", text)


@router.post("/transfers/{transfer_id}/reverse")
async def reverse_transfer(
    request: Request, transfer_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> RedirectResponse:
    """Take a mistake back."""
    async with form.attempt(session):
        await featuring.take_back(session, actor, transfer_id, "Reversed by a moderator")
    back = local_path(form.value("back"), "/admin/wallets")
    return outcome(request, form, back, "The transfer is reversed.")
