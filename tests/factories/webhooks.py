"""Webhooks, and what was delivered to them."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import Company
from jobboard.settings import Settings
from jobboard.webhooks import service
from jobboard.webhooks.events import Event
from jobboard.webhooks.models import DeliveryState, WebhookDelivery
from jobboard.webhooks.schemas import WebhookCreate, WebhookMade
from tests.factories.people import User

PUBLIC_URL = "https://93.184.215.14/hook"  # an address, so that no name server is asked


async def make_webhook(
    session: AsyncSession,
    settings: Settings,
    owner: User,
    company: Company,
    url: str = PUBLIC_URL,
    **fields: Any,
) -> WebhookMade:
    """A webhook for every event, or as `fields` say. Committed."""
    values: dict[str, Any] = {"name": "Site", "events": list(Event)} | fields
    data = WebhookCreate(company_id=company.id, url=url, **values)
    webhook = await service.create(session, owner.actor, data, settings)
    await session.commit()
    return webhook


async def make_delivery(session: AsyncSession, webhook_id: UUID, **fields: Any) -> WebhookDelivery:
    """Something that was delivered, or as `fields` say. Committed."""
    job = {"id": str(webhook_id), "slug": "baker", "title": "Baker", "status": "closed"}
    values: dict[str, Any] = {
        "event": Event.JOB_CLOSED,
        "data": {"job": job},
        "state": DeliveryState.DELIVERED,
    }
    delivery = WebhookDelivery(webhook_id=webhook_id, **values | fields)
    session.add(delivery)
    await session.commit()
    return delivery
