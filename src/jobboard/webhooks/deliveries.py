"""What was delivered and how it went; trying a webhook out, and sending something again."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, NotFound
from jobboard.infra.postgres import RING
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.settings import Settings
from jobboard.webhooks import events, queries
from jobboard.webhooks.models import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from jobboard.webhooks.schemas import AttemptRead, DeliveryDetail, DeliveryRead

FIRST = datetime(1970, 1, 1, tzinfo=UTC)  # due before all that waits: someone is looking


async def list_deliveries(
    session: AsyncSession,
    actor: Actor,
    webhook_id: UUID,
    *,
    state: DeliveryState | None = None,
    cursor: str | None,
    limit: int,
) -> Page[DeliveryRead]:
    """A webhook's deliveries of the last 30 days, newest first."""
    await queries.get(session, actor, webhook_id)
    before = read_moment_cursor(cursor)
    statement = queries.page_of_deliveries(webhook_id, state, before=before, limit=limit)
    rows, more = cut((await session.execute(statement)).all(), limit)
    last = rows[-1] if more else None
    return Page(
        items=[queries.read_delivery(row) for row in rows],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def read(
    session: AsyncSession, actor: Actor, webhook_id: UUID, delivery_id: UUID, settings: Settings
) -> DeliveryDetail:
    """One delivery with what is sent and each try. Raises NotFound."""
    webhook = await queries.get(session, actor, webhook_id)
    statement = queries.deliveries(webhook_id).where(WebhookDelivery.id == delivery_id)
    row = (await session.execute(statement)).first()
    if row is None:
        raise _not_found()
    tries = await session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery_id)
        .order_by(WebhookAttempt.id.desc())
    )
    return DeliveryDetail(
        **queries.facts(row),
        url=webhook.url,
        request=events.body_of(settings, row.event, row.created_at, row.data),
        history=[AttemptRead.model_validate(each, from_attributes=True) for each in tries],
    )


def _not_found() -> NotFound:
    return NotFound(
        "There is no such delivery. They are kept for 30 days.", code="delivery_not_found"
    )


async def send_test(session: AsyncSession, actor: Actor, webhook_id: UUID) -> DeliveryRead:
    """Send a `webhook.test` now, before all that waits. One at a time: one that is being sent this
    moment is the answer, one that waits to be tried again is tried now. Raises NotFound, Forbidden,
    Conflict for one that is turned off."""
    webhook = await _ready(session, actor, webhook_id)
    waiting = (
        select(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook_id,
            WebhookDelivery.event == events.TEST,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .with_for_update()
    )
    delivery = await session.scalar(waiting)
    if delivery is None:
        data = {"webhook": {"id": str(webhook.id), "name": webhook.name}}
        delivery = WebhookDelivery(webhook_id=webhook_id, event=events.TEST, data=data)
        delivery.due_at = FIRST
        session.add(delivery)
    elif not _is_under_way(delivery):
        _begin_anew(delivery)
    await session.flush()
    return await _told(session, webhook, delivery.id)


async def resend(
    session: AsyncSession, actor: Actor, webhook_id: UUID, delivery_id: UUID
) -> DeliveryRead:
    """Send a delivery once more, with the same `webhook-id`, on a schedule that begins anew; one
    that waits is tried now. Raises NotFound, Forbidden, Conflict for a webhook that is off, or
    for a delivery that is being sent this moment."""
    webhook = await _ready(session, actor, webhook_id)
    delivery = await session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
        .with_for_update()
    )
    if delivery is None:
        raise _not_found()
    if _is_under_way(delivery):
        raise Conflict(
            "This is being sent right now. Look again in a moment.", code="delivery_under_way"
        )
    _begin_anew(delivery)
    await session.flush()
    return await _told(session, webhook, delivery_id)


def _is_under_way(delivery: WebhookDelivery) -> bool:
    return delivery.claimed_at is not None and delivery.due_at > now()


def _begin_anew(delivery: WebhookDelivery) -> None:
    """It is tried first of all that waits, on a schedule that begins anew."""
    delivery.state, delivery.due_at = DeliveryState.WAITING, FIRST
    delivery.attempts, delivery.claimed_at, delivery.done_at = 0, None, None


async def _ready(session: AsyncSession, actor: Actor, webhook_id: UUID) -> Webhook:
    """A webhook that can be called now, its row locked."""
    webhook = await queries.get(session, actor, webhook_id, lock=True)
    await companies.require(session, actor, Right.MANAGE_WEBHOOKS, webhook.company_id)
    if webhook.state is not WebhookState.ACTIVE:
        raise Conflict(
            f"This webhook is {webhook.state}, and is not called. Turn it on first.",
            code="webhook_off",
        )
    return webhook


async def _told(session: AsyncSession, webhook: Webhook, delivery_id: UUID) -> DeliveryRead:
    await session.execute(
        update(Webhook)
        .where(Webhook.id == webhook.id)
        .values(rests_until=None)
        .execution_options(synchronize_session=False)
    )
    session.info[RING] = True
    statement = queries.deliveries(webhook.id).where(WebhookDelivery.id == delivery_id)
    return queries.read_delivery((await session.execute(statement)).one())
