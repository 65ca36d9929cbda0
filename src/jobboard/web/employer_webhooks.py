"""Webhooks of one's companies: add one, try it out, see what it was sent, send it again."""

import json
import secrets
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.infra.engines import Engines
from jobboard.web.deps import EnginesDep, FormAloneDep, FormDep, SessionDep, SettingsDep, redirect
from jobboard.web.desk import (
    Cursor,
    EmployerAloneDep,
    EmployerDep,
    href,
    once_id,
    outcome,
    owned_choices,
)
from jobboard.web.forms import Form
from jobboard.web.rendering import render
from jobboard.webhooks import deliveries, service
from jobboard.webhooks.events import MEANINGS
from jobboard.webhooks.models import DeliveryState
from jobboard.webhooks.schemas import (
    WebhookCreate,
    WebhookMade,
    WebhookRead,
    WebhookUpdate,
)

router = APIRouter(prefix="/employer/webhooks", include_in_schema=False)

HERE = "/employer/webhooks"
PAGE = 25
LOOKS = 20  # that a page takes by itself, two seconds apart, while something is on its way
LABELS = {
    "company_id": "Company",
    "name": "What receives it",
    "url": "Address",
    "events": "What it is told",
}
EVENTS = {str(event): words for event, words in MEANINGS.items()}
Wait = Annotated[int, Query(ge=0, le=LOOKS)]


@router.get("")
async def show_webhooks(
    request: Request,
    session: SessionDep,
    actor: EmployerDep,
    company: UUID | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Those that there are, and the form for a new one."""
    form = Form.of({"company_id": company, "events": list(EVENTS)})
    return await _list(request, session, actor, form, cursor=cursor)


async def _list(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form: Form,
    *,
    made: WebhookMade | None = None,
    cursor: str | None = None,
) -> HTMLResponse:
    """`made` is shown with its secret, this once."""
    form.fill("once", secrets.token_urlsafe(16))
    page = await service.list_webhooks(session, actor, cursor=cursor, limit=PAGE)
    return render(
        request,
        "employer/webhooks.html",
        status=form.status,
        private=True,
        form=form,
        made=made,
        webhooks=page.items,
        own=await owned_choices(session, actor),
        labels=LABELS,
        events=EVENTS,
        next_href=href(HERE, cursor=page.next_cursor) if page.next_cursor else None,
    )


@router.post("")
async def add_webhook(
    request: Request, actor: EmployerAloneDep, form: FormAloneDep, engines: EnginesDep
) -> Response:
    """Add one. Its secret is in this answer only, so no redirect follows; each form adds one."""
    made: WebhookMade | None = None
    async with form.attempt():
        made = await _add(engines, actor, form)
    if "events" in form.errors:  # nothing is ticked, and nothing of it was sent
        form.errors["events"] = ["Choose at least one."]
    if made is not None:
        form = Form.of({"company_id": made.company_id, "events": list(EVENTS)})
    async with engines.database.transaction() as session:
        return await _list(request, session, actor, form, made=made)


async def _add(engines: Engines, actor: Actor, form: Form) -> WebhookMade:
    """The name server is asked while no transaction is open. The id comes from the form, but
    nobody can choose it."""
    data, settings = form.parse(WebhookCreate), engines.settings
    async with engines.database.transaction() as session:
        await service.require_manager(session, actor, data.company_id)
    await service.require_callable(settings, data.url)
    webhook_id = once_id(settings, "webhook", actor, data.company_id, form)
    async with engines.database.transaction() as session:
        return await service.create(session, actor, data, settings, webhook_id=webhook_id)


@router.get("/{webhook_id}")
async def show_webhook(
    request: Request,
    webhook_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    state: DeliveryState | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """One, with what it was sent."""
    webhook = await service.read(session, actor, webhook_id)
    return await _page(request, session, actor, webhook, _form(webhook), state=state, cursor=cursor)


def _form(webhook: WebhookRead) -> Form:
    return Form.of(
        {
            "name": webhook.name,
            "url": webhook.url,
            "events": webhook.events,
            "version": webhook.version,
        }
    )


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    webhook: WebhookRead,
    form: Form,
    *,
    made: WebhookMade | None = None,
    state: DeliveryState | None = None,
    cursor: str | None = None,
) -> HTMLResponse:
    page = await deliveries.list_deliveries(
        session, actor, webhook.id, state=state, cursor=cursor, limit=PAGE
    )
    here = f"{HERE}/{webhook.id}"
    more = href(here, state=state, cursor=page.next_cursor)
    return render(
        request,
        "employer/webhook.html",
        status=form.status,
        private=True,
        webhook=webhook,
        form=form,
        made=made,
        labels=LABELS,
        events=EVENTS,
        here=here,
        state=state,
        deliveries=page.items,
        first_href=href(here, state=state) if cursor else None,
        next_href=more if page.next_cursor else None,
    )


@router.post("/{webhook_id}")
async def change_webhook(
    request: Request,
    webhook_id: UUID,
    actor: EmployerAloneDep,
    form: FormAloneDep,
    engines: EnginesDep,
) -> Response:
    """Change its name, address or events."""
    async with engines.database.transaction() as session:
        await service.read(session, actor, webhook_id)
    async with form.attempt():
        form.require("events")
        data = form.parse(WebhookUpdate)
        await service.require_callable(engines.settings, data.url)
        async with engines.database.transaction() as session:
            await service.change(session, actor, webhook_id, data)
    if not form.refused:
        return redirect(request, f"{HERE}/{webhook_id}", "Saved.")
    async with engines.database.transaction() as session:
        webhook = await service.read(session, actor, webhook_id)
        return await _page(request, session, actor, webhook, form)


@router.post("/{webhook_id}/turn")
async def turn_webhook(
    request: Request, webhook_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Pause it, or go on."""
    on = form.value("to") == "on"
    async with form.attempt(session):
        await service.change(session, actor, webhook_id, WebhookUpdate(active=on))
    text = "It is called again. What waited is sent now." if on else "Paused. Its events wait."
    return outcome(request, form, f"{HERE}/{webhook_id}", text)


@router.post("/{webhook_id}/rotate")
async def rotate_secret(
    request: Request,
    webhook_id: UUID,
    session: SessionDep,
    settings: SettingsDep,
    actor: EmployerDep,
    form: FormDep,
) -> Response:
    """A new secret, which is in this answer only."""
    made: WebhookMade | None = None
    async with form.attempt(session):
        version = form.parse(WebhookUpdate).version
        made = await service.rotate(session, actor, webhook_id, settings, version=version)
    webhook = made or await service.read(session, actor, webhook_id)
    shown = _form(webhook)
    shown.errors, shown.status = form.errors, form.status
    return await _page(request, session, actor, webhook, shown, made=made)


@router.post("/{webhook_id}/delete")
async def delete_webhook(
    request: Request, webhook_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Delete it with its log."""
    name = ""
    async with form.attempt(session):
        name = (await service.delete(session, actor, webhook_id)).name
    return outcome(request, form, HERE, f"“{name}” is deleted.")


@router.post("/{webhook_id}/test")
async def send_test(
    request: Request, webhook_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """Send a test, and go where its result will stand."""
    to = f"{HERE}/{webhook_id}"
    async with form.attempt(session):
        sent = await deliveries.send_test(session, actor, webhook_id)
        to = f"{to}/deliveries/{sent.id}?wait=1"
    return outcome(request, form, to, "")


@router.get("/{webhook_id}/deliveries/{delivery_id}")
async def show_delivery(
    request: Request,
    webhook_id: UUID,
    delivery_id: UUID,
    session: SessionDep,
    settings: SettingsDep,
    actor: EmployerDep,
    wait: Wait = 0,
) -> HTMLResponse:
    """What was sent and what came back. Looks again by itself while the first try is under way."""
    webhook = await service.read(session, actor, webhook_id)
    found = await deliveries.read(session, actor, webhook_id, delivery_id, settings)
    again = None
    on_its_way = found.under_way or not found.attempts
    if 0 < wait < LOOKS and found.state is DeliveryState.WAITING and on_its_way:
        again = f"{HERE}/{webhook_id}/deliveries/{delivery_id}?wait={wait + 1}"
    return render(
        request,
        "employer/webhook-delivery.html",
        private=True,
        webhook=webhook,
        delivery=found,
        body=json.dumps(found.request, indent=2, ensure_ascii=False),
        again=again,
    )


@router.post("/{webhook_id}/deliveries/{delivery_id}/resend")
async def resend_delivery(
    request: Request,
    webhook_id: UUID,
    delivery_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    form: FormDep,
) -> RedirectResponse:
    """Send it once more."""
    here = f"{HERE}/{webhook_id}/deliveries/{delivery_id}"
    async with form.attempt(session):
        await deliveries.resend(session, actor, webhook_id, delivery_id)
    return outcome(request, form, here if form.refused else f"{here}?wait=1", "")
