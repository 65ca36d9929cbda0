"""Wallets as pages: balance, statement with filters, the same as CSV, and passing credits on.

`/me/wallet` is one's own, `/employer/companies/{id}/wallet` a company's, for those who may spend.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, Invalid, NotFound
from jobboard.infra import idempotency
from jobboard.infra.currencies import exponent
from jobboard.infra.engines import Engines
from jobboard.infra.postgres import Database
from jobboard.schema import Input, filled
from jobboard.wallet import queries, service
from jobboard.wallet.models import TransferKind
from jobboard.wallet.schemas import Direction, EntryRead, EntrySearch, TransferCreate, WalletRead
from jobboard.web.deps import ActorDep, EnginesDep, FormDep, SessionDep, redirect
from jobboard.web.desk import Cursor, EmployerDep, href
from jobboard.web.formatting import money, options
from jobboard.web.forms import Form
from jobboard.web.money import parse_money
from jobboard.web.rendering import engines_of, render
from jobboard.web.tables import Row, csv_stream

router = APIRouter(include_in_schema=False)

OWN = "/me/wallet"
LINES = 25
BATCH = 1000  # lines of a CSV that are read at once
KEY = "key"  # of a form, so that sent twice it pays once
LABELS = {"to": "To", "amount": "Amount", "memo": "What for", "days": "Days"}
COLUMNS = ("number", "at", "kind", "from_or_to", "by", "memo", "amount", "balance", "currency")


class Asked(Input):
    """What the address asks for. Days are whole ones, in UTC; empty parameters count as absent."""

    model_config = ConfigDict(extra="ignore")

    kind: TransferKind | None = None
    direction: Direction | None = None
    since: Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))] | None = None
    until: Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))] | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_forms_send_it(cls, data: Any) -> Any:
        return filled(data)

    def search(self, cursor: str | None = None) -> EntrySearch:
        """The same as the core understands it."""
        return EntrySearch(
            kind=self.kind,
            direction=self.direction,
            since=_midnight(self.since),
            until=_midnight(self.until + timedelta(days=1)) if self.until else None,
            cursor=cursor,
            limit=LINES,
        )


AskedDep = Annotated[Asked, Query()]


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def new_form(**values: Any) -> Form:
    """A form with a key of its own."""
    return Form.of({KEY: uuid4(), **values})


async def claim_form(request: Request, session: AsyncSession, actor: Actor, form: Form) -> None:
    """Raise Conflict where this very form was sent before, and has done what it does.

    Raises Invalid for one without a key: nobody could tell it from the next.
    """
    key = form.value(KEY).strip()
    if not key:
        raise Invalid("This form came without its key. Load the page again and send its form.")
    secret = engines_of(request).settings.secret_key
    answer_id = idempotency.answer_id(secret, str(actor.id), "form", key)
    if not await idempotency.claim(session, answer_id, actor.id):
        raise Conflict("This form was sent before, and is done. Look at the statement.")
    await idempotency.keep(session, answer_id, b"", status=303, headers=[], body=b"")


def amount_of(form: Form, name: str, currency: str) -> int:
    """Minor units of what was typed. Raises Invalid."""
    try:
        return parse_money(form.value(name), currency)
    except ValueError as error:
        raise Invalid.field(name, str(error)) from None


async def statement(
    session: AsyncSession, actor: Actor, wallet: WalletRead, asked: Asked, cursor: str | None
) -> dict[str, Any]:
    """What the statement's template needs."""
    page = await service.entries(session, actor, wallet.id, asked.search(cursor))
    query = asked.model_dump(exclude_none=True, mode="json")
    return {
        "wallet": wallet,
        "asked": asked,
        "narrowed": bool(query),
        "kinds": options(TransferKind),
        "entries": page.items,
        "query": query,
        "cursor": cursor,
        "next_cursor": page.next_cursor,
    }


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    wallet: WalletRead,
    here: str,
    *,
    asked: Asked | None = None,
    cursor: str | None = None,
    form: Form | None = None,
) -> HTMLResponse:
    form = form or new_form()
    shown = await statement(session, actor, wallet, asked or Asked(), cursor)
    return render(
        request,
        "wallet/page.html",
        status=form.status,
        private=True,
        form=form,
        labels=LABELS,
        here=here,
        href=href,
        **shown,
    )


def csv_of(engines: Engines, actor: Actor, wallet: WalletRead, asked: Asked) -> StreamingResponse:
    """All entries that are asked for, with amounts in whole units."""
    name = f"statement-{wallet.currency}-{now().date()}.csv"
    rows = _batches(engines.database, actor, wallet.id, asked.search())
    return csv_stream(name, COLUMNS, rows)


async def _batches(
    database: Database, actor: Actor, wallet_id: UUID, search: EntrySearch
) -> AsyncIterator[Iterable[Row]]:
    """Between two of them nothing is held, however slowly someone reads."""
    cursor, more = None, True
    while more:
        wanted = search.model_copy(update={"limit": BATCH, "cursor": cursor})
        async with database.transaction() as session:
            page = await service.entries(session, actor, wallet_id, wanted)
        yield map(_row, page.items)
        cursor, more = page.next_cursor, page.next_cursor is not None


def _row(entry: EntryRead) -> Row:
    return (
        entry.number,
        entry.at.isoformat(timespec="seconds"),
        entry.kind.value,
        entry.other.name,
        entry.by or "",
        entry.memo,
        _plain(entry.amount, entry.currency),
        _plain(entry.balance, entry.currency),
        entry.currency,
    )


def _plain(amount: int, currency: str) -> Decimal:
    """In whole units, with as many digits as the currency has."""
    return Decimal(amount).scaleb(-exponent(currency))


async def _payee(session: AsyncSession, form: Form) -> WalletRead | UUID:
    """A wallet by its number, or a company's by its address or name. Raises Invalid."""
    wanted = form.value("to").strip()
    try:
        return UUID(wanted)
    except ValueError:
        pass
    try:
        slug = wanted.rstrip("/").rpartition("/")[2].lower().replace(" ", "-")
        return await queries.of_company(session, (await companies.get_by_slug(session, slug)).id)
    except NotFound:
        raise Invalid.field(
            "to",
            "There is no such company. Copy the address of its page, or ask for its wallet's "
            "number.",
        ) from None


async def _pay(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form: Form,
    wallet: WalletRead,
    here: str,
) -> Response:
    async with form.attempt(session, {"to_wallet_id": "to"}):
        form.require("to", "amount")
        payee = await _payee(session, form)
        data = form.parse(
            TransferCreate,
            from_wallet_id=wallet.id,
            to_wallet_id=payee.id if isinstance(payee, WalletRead) else payee,
            amount=amount_of(form, "amount", wallet.currency),
            currency=wallet.currency,
        )
        await claim_form(request, session, actor, form)
        made = await service.transfer(session, actor, data)
        return redirect(request, here, f"{money(made.amount, made.currency)} are on their way.")
    return await _page(request, session, actor, wallet, here, form=form)


@router.get("/me/wallet")
async def show_own_wallet(
    request: Request, session: SessionDep, actor: ActorDep, asked: AskedDep, cursor: Cursor = None
) -> HTMLResponse:
    """One's own credits."""
    wallet = await queries.of_person(session, actor.id)
    return await _page(request, session, actor, wallet, OWN, asked=asked, cursor=cursor)


@router.get("/me/wallet/statement.csv")
async def download_own_statement(
    engines: EnginesDep, session: SessionDep, actor: ActorDep, asked: AskedDep
) -> StreamingResponse:
    """All entries that are asked for."""
    wallet = await queries.of_person(session, actor.id)
    return csv_of(engines, actor, wallet, asked)


@router.post("/me/wallet/transfers")
async def pay_of_own_wallet(
    request: Request, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """Pass credits on."""
    wallet = await queries.of_person(session, actor.id)
    return await _pay(request, session, actor, form, wallet, OWN)


COMPANY = "/employer/companies/{company_id}/wallet"


async def _companys(session: AsyncSession, actor: Actor, company_id: UUID) -> WalletRead:
    """A company's wallet, for those who may look into it. Raises NotFound."""
    wallet = await queries.of_company(session, company_id)
    return await queries.get(session, actor, wallet.id)


@router.get(COMPANY)
async def show_company_wallet(
    request: Request,
    company_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    asked: AskedDep,
    cursor: Cursor = None,
) -> HTMLResponse:
    """A company's credits."""
    wallet = await _companys(session, actor, company_id)
    here = COMPANY.format(company_id=company_id)
    return await _page(request, session, actor, wallet, here, asked=asked, cursor=cursor)


@router.get(f"{COMPANY}/statement.csv")
async def download_company_statement(
    company_id: UUID,
    engines: EnginesDep,
    session: SessionDep,
    actor: EmployerDep,
    asked: AskedDep,
) -> StreamingResponse:
    """All entries that are asked for."""
    wallet = await _companys(session, actor, company_id)
    return csv_of(engines, actor, wallet, asked)


@router.post(f"{COMPANY}/transfers")
async def pay_of_company_wallet(
    request: Request, company_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Pass a company's credits on."""
    wallet = await _companys(session, actor, company_id)
    here = COMPANY.format(company_id=company_id)
    return await _pay(request, session, actor, form, wallet, here)
