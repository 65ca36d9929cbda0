"""Webhooks of companies: add, change, try out, see what was delivered, send it again."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import (
    LIMIT,
    Cursor,
    EnginesDep,
    Limit,
    PathId,
    SessionDep,
    SettingsDep,
    acts,
    acts_alone,
)
from jobboard.api.idempotency import IDEMPOTENT, Idempotent, LateKeyDep
from jobboard.api.route import Router
from jobboard.pagination import Page
from jobboard.webhooks import deliveries, service
from jobboard.webhooks.models import DeliveryState
from jobboard.webhooks.schemas import (
    DeliveryDetail,
    DeliveryRead,
    WebhookCreate,
    WebhookMade,
    WebhookRead,
    WebhookUpdate,
)

router = Router(prefix="/webhooks", tags=["webhooks"])

ManagerDep = Annotated[Actor, acts(Right.MANAGE_WEBHOOKS)]
ManagerAloneDep = Annotated[Actor, acts_alone(Right.MANAGE_WEBHOOKS)]
DeliveryId = Annotated[UUID, Path(description="As the list of deliveries gives it.")]


@router.get("")
async def list_webhooks(
    session: SessionDep,
    actor: ManagerDep,
    company_id: Annotated[UUID | None, Query(description="Of this company only.")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[WebhookRead]:
    """The webhooks that I manage, newest first. Their secrets are not kept."""
    return await service.list_webhooks(
        session, actor, company_id=company_id, cursor=cursor, limit=limit
    )


@router.post("", status_code=201)
async def create_webhook(
    data: WebhookCreate,
    session: SessionDep,
    actor: ManagerAloneDep,
    engines: EnginesDep,
    key: LateKeyDep,
) -> WebhookMade:
    """Have an address called when something happens.

    `secret` is in this answer only: the receiver checks signatures with it, as docs/webhooks.md
    shows. Calls follow https://www.standardwebhooks.com.
    """
    async with engines.database.transaction() as looking:
        await service.require_manager(looking, actor, data.company_id)
    await service.require_callable(engines.settings, data.url)
    await key.claim(actor, secrets=("secret",))
    return await service.create(session, actor, data, engines.settings)


@router.get("/{id}")
async def get_webhook(webhook_id: PathId, session: SessionDep, actor: ManagerDep) -> WebhookRead:
    """One webhook."""
    return await service.read(session, actor, webhook_id)


@router.patch("/{id}")
async def update_webhook(
    webhook_id: PathId,
    data: WebhookUpdate,
    actor: ManagerAloneDep,
    engines: EnginesDep,
    match: IfMatchDep,
) -> WebhookRead:
    """Change what you send; absent keeps. `active` pauses it, and turns it on again."""
    async with engines.database.transaction() as session:
        await service.read(session, actor, webhook_id)
    await service.require_callable(engines.settings, data.url)
    async with engines.database.transaction() as session:
        data.version = await match.version(
            lambda: service.read(session, actor, webhook_id), data.version
        )
        return await service.change(session, actor, webhook_id, data)


@router.delete("/{id}", status_code=204)
async def delete_webhook(
    webhook_id: PathId, session: SessionDep, actor: ManagerDep, match: IfMatchDep
) -> None:
    """Delete a webhook with the log of what it was sent. What waits for it is not sent."""
    version = await match.version(lambda: service.read(session, actor, webhook_id))
    await service.delete(session, actor, webhook_id, version=version)


@router.post(
    "/{id}/rotate", status_code=201, dependencies=[Depends(Idempotent(secrets=("secret",)))]
)
async def rotate_webhook_secret(
    webhook_id: PathId, session: SessionDep, actor: ManagerDep, settings: SettingsDep
) -> WebhookMade:
    """Make a new secret, which is in this answer only. The one before signs, too, for 24 hours."""
    return await service.rotate(session, actor, webhook_id, settings)


@router.post("/{id}/test", status_code=202, dependencies=[IDEMPOTENT])
async def try_webhook(webhook_id: PathId, session: SessionDep, actor: ManagerDep) -> DeliveryRead:
    """Send a `webhook.test` now. The delivery of this id says, a moment later, how it went."""
    return await deliveries.send_test(session, actor, webhook_id)


@router.get("/{id}/deliveries")
async def list_webhook_deliveries(
    webhook_id: PathId,
    session: SessionDep,
    actor: ManagerDep,
    state: Annotated[DeliveryState | None, Query(description="Only these.")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[DeliveryRead]:
    """What it was sent in the last 30 days, newest first."""
    return await deliveries.list_deliveries(
        session, actor, webhook_id, state=state, cursor=cursor, limit=limit
    )


@router.get("/{id}/deliveries/{delivery_id}")
async def get_webhook_delivery(
    webhook_id: PathId,
    delivery_id: DeliveryId,
    session: SessionDep,
    actor: ManagerDep,
    settings: SettingsDep,
) -> DeliveryDetail:
    """One delivery: what was sent, and each try with what was answered."""
    return await deliveries.read(session, actor, webhook_id, delivery_id, settings)


@router.post("/{id}/deliveries/{delivery_id}/resend", status_code=202)
async def resend_webhook_delivery(
    webhook_id: PathId, delivery_id: DeliveryId, session: SessionDep, actor: ManagerDep
) -> DeliveryRead:
    """Send it once more, now, with the same `webhook-id`; the tries begin anew."""
    return await deliveries.resend(session, actor, webhook_id, delivery_id)
