"""Which webhooks and deliveries there are, and who may see which."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.companies.models import Company, CompanyMember, MemberRole
from jobboard.errors import NotFound
from jobboard.webhooks.models import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from jobboard.webhooks.schemas import DeliveryRead, WebhookLine, WebhookRead


def visible_to(viewer: Actor) -> ColumnElement[bool]:
    """Those of the companies that they own, or whose key it is; admins see all."""
    if viewer.is_key:
        return Webhook.company_id == viewer.company_id
    if viewer.is_admin:
        return true()
    owned = select(CompanyMember.company_id).where(
        CompanyMember.person_id == viewer.id, CompanyMember.role == MemberRole.OWNER
    )
    return Webhook.company_id.in_(owned)


async def get(
    session: AsyncSession, viewer: Actor, webhook_id: UUID, *, lock: bool = False
) -> Webhook:
    """One webhook that `viewer` sees, or NotFound."""
    statement = select(Webhook).where(Webhook.id == webhook_id, visible_to(viewer))
    if lock:
        # Not FOR UPDATE: that would hold up whoever writes an event for it.
        statement = statement.with_for_update(key_share=True)
        statement = statement.execution_options(populate_existing=True)
    webhook = await session.scalar(statement)
    if webhook is None:
        raise NotFound("There is no such webhook.", code="webhook_not_found")
    return webhook


def read(webhook: Webhook, company: str) -> WebhookRead:
    """The shape of a webhook, without its secret."""
    until = webhook.previous_until
    return WebhookRead(
        id=webhook.id,
        company_id=webhook.company_id,
        company_name=company,
        name=webhook.name,
        url=webhook.url,
        events=webhook.events,
        state=webhook.state,
        failing_since=webhook.failing_since,
        previous_secret_until=until if until and until > now() else None,
        created_at=webhook.created_at,
        version=webhook.version,
    )


def listed(
    viewer: Actor, company_id: UUID | None, *, before: tuple[datetime, UUID] | None, limit: int
) -> Select[Webhook, str]:
    """Webhooks with their company's name, newest first, one row more than the page."""
    statement = (
        select(Webhook, Company.name)
        .join(Company, Company.id == Webhook.company_id)
        .where(visible_to(viewer))
        .order_by(Webhook.created_at.desc(), Webhook.id.desc())
        .limit(limit + 1)
    )
    if company_id is not None:
        statement = statement.where(Webhook.company_id == company_id)
    if before:
        statement = statement.where(func.row(Webhook.created_at, Webhook.id) < func.row(*before))
    return statement


def deliveries(webhook_id: UUID) -> Select[*tuple[Any, ...]]:
    """Deliveries of a webhook, each with its last try."""
    last = (
        select(WebhookAttempt.at, WebhookAttempt.status, WebhookAttempt.error)
        .where(WebhookAttempt.delivery_id == WebhookDelivery.id)
        .order_by(WebhookAttempt.id.desc())
        .limit(1)
        .lateral("last")
    )
    return (
        select(
            WebhookDelivery.id,
            WebhookDelivery.webhook_id,
            WebhookDelivery.event,
            WebhookDelivery.data,
            WebhookDelivery.state,
            WebhookDelivery.attempts,
            WebhookDelivery.created_at,
            WebhookDelivery.due_at,
            WebhookDelivery.claimed_at,
            Webhook.state.label("webhook_state"),
            last.c.at.label("last_attempt_at"),
            last.c.status.label("last_status"),
            last.c.error.label("last_error"),
        )
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .outerjoin(last, true())
        .where(WebhookDelivery.webhook_id == webhook_id)
    )


async def line(session: AsyncSession) -> WebhookLine:
    """What waits of all companies' deliveries, for those who run the board."""
    moment = now()
    due = and_(WebhookDelivery.due_at <= moment, Webhook.state == WebhookState.ACTIVE)
    has_it = WebhookDelivery.claimed_at.is_not(None)
    counts = (
        select(
            func.count().filter(or_(due, has_it)),
            func.count().filter(~or_(due, has_it)),
            func.min(WebhookDelivery.due_at).filter(due),
        )
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(WebhookDelivery.state == DeliveryState.WAITING)
    )
    failing = select(func.count()).where(Webhook.state == WebhookState.FAILING)
    waiting, postponed, oldest = (await session.execute(counts)).one()
    return WebhookLine(
        waiting=waiting,
        postponed=postponed,
        oldest_waiting_seconds=(moment - oldest).total_seconds() if oldest else 0.0,
        failing=await session.scalar(failing) or 0,
    )


def page_of_deliveries(
    webhook_id: UUID,
    state: DeliveryState | None,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Select[Any]:
    """Newest first, one row more than the page."""
    created, row_id = WebhookDelivery.created_at, WebhookDelivery.id
    statement = deliveries(webhook_id).order_by(created.desc(), row_id.desc()).limit(limit + 1)
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    if before:
        statement = statement.where(func.row(created, row_id) < func.row(*before))
    return statement


def read_delivery(row: Row[Any]) -> DeliveryRead:
    """The shape of a delivery."""
    return DeliveryRead(**facts(row))


def facts(row: Row[Any]) -> dict[str, Any]:
    """What the short and the long shape of a delivery share."""
    waits = row.state is DeliveryState.WAITING and row.webhook_state is WebhookState.ACTIVE
    under_way = row.claimed_at is not None and row.due_at > now()
    return {
        "id": row.id,
        "webhook_id": row.webhook_id,
        "message_id": message_id(row.id),
        "event": row.event,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "under_way": under_way,
        "next_attempt_at": max(row.due_at, row.created_at) if waits and not under_way else None,
        "last_attempt_at": row.last_attempt_at,
        "last_status": row.last_status,
        "last_error": row.last_error,
    }


def message_id(delivery_id: UUID) -> str:
    """The `webhook-id` of a delivery."""
    return f"msg_{delivery_id.hex}"
