"""Which delivery a worker sends next, and what becomes of it. Every statement decides by itself.

Deliveries have a line of their own beside the outbox: who is slow, or gone, holds up nobody else.
A claim is a lease, committed at once; a delivery of a worker that died is due again when it is
over. Receivers therefore may see a delivery twice, with one `webhook-id`, and in any order.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.notifications.service import notify
from jobboard.webhooks import service
from jobboard.webhooks.models import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: ten
# tries, the first at once, over 75 hours.
PAUSES = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]
MAX_ATTEMPTS = len(PAUSES) + 1
JITTER = 0.1  # of a pause, more or less
LEASE = timedelta(seconds=60)  # longer than any call lasts
AT_ONCE = 3  # calls of one webhook; one, while it fails
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)  # after a failure; it doubles
OFF_AFTER = timedelta(days=5)  # of failures only, and at least MAX_ATTEMPTS of them
KEEP = timedelta(days=30)
GONE = 410


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker is to send, and for whom."""

    delivery: WebhookDelivery
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try went. `error` is None where the receiver took it."""

    took_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""


async def claim(session: AsyncSession) -> Claimed | None:
    """Lease the delivery that is due, of the webhook with the fewest under way. One whose last try
    nobody could write down has failed: there is no eleventh."""
    while (claimed := await _lease(session)) is not None:
        delivery = claimed.delivery
        if delivery.attempts <= MAX_ATTEMPTS:
            return claimed
        delivery.state, delivery.done_at = DeliveryState.FAILED, now()
        delivery.attempts, delivery.claimed_at = MAX_ATTEMPTS, None
        await session.flush()
    return None


async def _lease(session: AsyncSession) -> Claimed | None:
    """The webhook's row is locked meanwhile, so that no two workers count at the same moment."""
    webhook = await session.scalar(_next_webhook())
    if webhook is None:
        return None
    moment = now()
    due = (
        select(WebhookDelivery.id)
        .where(_waits(WebhookDelivery, webhook.id), WebhookDelivery.due_at <= moment)
        .order_by(WebhookDelivery.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    delivery = await session.scalar(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == due,
            WebhookDelivery.webhook_id == Webhook.id,
            _under_way(webhook.id) < _room(),
        )
        .values(attempts=WebhookDelivery.attempts + 1, claimed_at=moment, due_at=moment + LEASE)
        .returning(WebhookDelivery)
        .execution_options(synchronize_session=False)
    )
    return Claimed(delivery, webhook) if delivery is not None else None


def _waits(row: Any, webhook_id: Any) -> ColumnElement[bool]:
    return and_(row.webhook_id == webhook_id, row.state == DeliveryState.WAITING)


def _room() -> ColumnElement[int]:
    """How many at once a webhook gets."""
    return case((Webhook.failures > 0, 1), else_=AT_ONCE)


def _under_way(webhook_id: Any) -> Any:
    """How many of a webhook's deliveries workers have now."""
    other = aliased(WebhookDelivery)
    held = and_(_waits(other, webhook_id), other.claimed_at.is_not(None), other.due_at > now())
    return select(func.count()).select_from(other).where(held).scalar_subquery()


def _next_webhook() -> Any:
    heads, moment = _heads(), now()
    busy = _under_way(Webhook.id)
    return (
        select(Webhook)
        .join(heads, heads.c.webhook_id == Webhook.id)
        .where(
            heads.c.due_at <= moment,
            Webhook.state == WebhookState.ACTIVE,
            or_(Webhook.rests_until.is_(None), Webhook.rests_until <= moment),
            busy < _room(),
        )
        .order_by(busy, heads.c.due_at)
        .limit(1)
        .with_for_update(key_share=True, of=Webhook, skip_locked=True)
    )


def _heads() -> Any:
    """The first of each webhook that has something waiting: one probe of the index for each, also
    where thousands wait for one of them."""
    row, other = aliased(WebhookDelivery), aliased(WebhookDelivery)
    columns = row.webhook_id, row.due_at
    waits = row.state == DeliveryState.WAITING
    first = select(*columns).where(waits).order_by(*columns).limit(1).subquery()
    heads = select(first.c.webhook_id, first.c.due_at).cte("heads", recursive=True)
    following = (
        select(other.webhook_id, other.due_at)
        .where(other.state == DeliveryState.WAITING, other.webhook_id > heads.c.webhook_id)
        .order_by(other.webhook_id, other.due_at)
        .limit(1)
        .lateral("following")
    )
    return heads.union_all(
        select(following.c.webhook_id, following.c.due_at)
        .select_from(heads)
        .join(following, true())
    )


async def note(session: AsyncSession, claimed: Claimed, outcome: Outcome) -> bool:
    """Write down how a try went; False where the delivery is no longer ours, or is gone.

    The webhook's row is locked first, here as in `claim` and `deliveries`.
    """
    locked = select(Webhook).where(Webhook.id == claimed.webhook.id)
    webhook = await session.scalar(locked.with_for_update(key_share=True))
    ours = webhook is not None and await session.scalar(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == claimed.delivery.id,
            WebhookDelivery.claimed_at == claimed.delivery.claimed_at,
        )
        .values(_after(claimed.delivery, outcome))
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    if webhook is None or ours is None:
        return False
    session.add(
        WebhookAttempt(
            delivery_id=claimed.delivery.id,
            at=claimed.delivery.claimed_at,
            took_ms=outcome.took_ms,
            status=outcome.status,
            error=outcome.error,
            answer=outcome.answer,
        )
    )
    if outcome.error is None:
        await _note_success(session, webhook)
    else:
        await _note_failure(session, webhook, outcome)
    await session.flush()
    return True


def _after(delivery: WebhookDelivery, outcome: Outcome) -> dict[str, Any]:
    """The columns of a delivery after a try."""
    moment = now()
    if outcome.error is None:
        return {"state": DeliveryState.DELIVERED, "done_at": moment, "claimed_at": None}
    if delivery.attempts >= MAX_ATTEMPTS:
        return {"state": DeliveryState.FAILED, "done_at": moment, "claimed_at": None}
    return {"due_at": moment + pause(delivery.attempts), "claimed_at": None}


def pause(attempts: int) -> timedelta:
    """What follows the failure of this try."""
    return PAUSES[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)


async def _note_success(session: AsyncSession, webhook: Webhook) -> None:
    if webhook.failures:
        await _set(session, webhook.id, failures=0, failing_since=None, rests_until=None)


async def _note_failure(session: AsyncSession, webhook: Webhook, outcome: Outcome) -> None:
    """Give the receiver a rest, or give it up for good."""
    moment = now()
    since, failures = webhook.failing_since or moment, webhook.failures + 1
    rest = min(FIRST_REST * 2 ** min(webhook.failures, 10), LONGEST_REST)
    await _set(
        session, webhook.id, failures=failures, failing_since=since, rests_until=moment + rest
    )
    if webhook.state is not WebhookState.ACTIVE:
        return
    if outcome.status == GONE:
        await _turn_off(session, webhook, WebhookState.GONE, since)
    elif since < moment - OFF_AFTER and failures >= MAX_ATTEMPTS:
        await _turn_off(session, webhook, WebhookState.FAILING, since)


async def _set(session: AsyncSession, webhook_id: UUID, **values: Any) -> None:
    """Health is no edit: the version stays."""
    await session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


async def _turn_off(
    session: AsyncSession, webhook: Webhook, state: WebhookState, since: datetime
) -> None:
    """Its company's owners are told."""
    await service.shut(session, webhook, state)
    news = {
        "webhook_id": str(webhook.id),
        "name": webhook.name,
        "state": state,
        "since": since.date().isoformat(),
    }
    for person_id in await companies.owner_ids(session, webhook.company_id):
        notify(session, person_id, "webhook_off", news)


async def forget_old(session: AsyncSession) -> int:
    """Delete a batch of deliveries that are older than KEEP, and secrets that sign no longer; how
    many deliveries that was."""
    await session.execute(
        update(Webhook)
        .where(Webhook.previous_until < now())
        .values(previous_salt=None, previous_until=None)
        .execution_options(synchronize_session=False)
    )
    old = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.created_at < now() - KEEP)
        .limit(500)
        .with_for_update(skip_locked=True)
        .cte("old")  # a subquery might be run again and again, and find others each time
    )
    gone = await session.scalars(
        delete(WebhookDelivery)
        .where(WebhookDelivery.id == old.c.id)
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
