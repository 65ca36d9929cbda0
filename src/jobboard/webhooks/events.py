"""What webhooks are told: the events, the bodies, and writing them down with what causes them.

A body names things by id and address and says no more than what happened: who receives it asks
the API for the rest, with a key that may. docs/webhooks.md has an example of each.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import UUID as PG_UUID
from sqlalchemy import Text, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.postgres import RING
from jobboard.settings import Settings
from jobboard.webhooks.models import Webhook, WebhookDelivery, WebhookState

VERSION = 1  # of the bodies: they only grow while it stays
KEPT = (WebhookState.ACTIVE, WebhookState.PAUSED)  # in which events are kept for a webhook


class Event(StrEnum):
    """What a webhook can be told of."""

    APPLICATION_CREATED = "application.created"
    APPLICATION_STAGE_CHANGED = "application.stage_changed"
    APPLICATION_WITHDRAWN = "application.withdrawn"
    JOB_PENDING = "job.pending"
    JOB_PUBLISHED = "job.published"
    JOB_REJECTED = "job.rejected"
    JOB_CLOSED = "job.closed"
    JOB_EXPIRED = "job.expired"
    JOB_REMOVED = "job.removed"


TEST = "webhook.test"  # asked for, never subscribed to
MEANINGS: dict[Event, str] = {
    Event.APPLICATION_CREATED: "Someone applied",
    Event.APPLICATION_STAGE_CHANGED: "An application was looked at or moved on",
    Event.APPLICATION_WITHDRAWN: "A candidate withdrew",
    Event.JOB_PENDING: "A job waits for a moderator",
    Event.JOB_PUBLISHED: "A job is live",
    Event.JOB_REJECTED: "A moderator sent a job back",
    Event.JOB_CLOSED: "A job was closed",
    Event.JOB_EXPIRED: "A job's time is over",
    Event.JOB_REMOVED: "A moderator removed a job",
}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened to what is a company's. `data` are plain JSON values."""

    company_id: UUID
    event: Event
    data: dict[str, Any]


async def emit(session: AsyncSession, occurrences: Sequence[Occurrence]) -> None:
    """Write a delivery for each webhook that wants to know, if and only if this transaction
    commits. One statement, however many there are; and no row where nobody listens."""
    if not occurrences:
        return
    told = [
        {"company_id": str(each.company_id), "event": each.event, "data": each.data}
        for each in occurrences
    ]
    happened = (
        func.jsonb_to_recordset(bindparam("told", told, type_=JSONB))
        .table_valued(
            column("company_id", PG_UUID()), column("event", Text()), column("data", JSONB())
        )
        .render_derived(name="happened", with_types=True)
    )
    rows = (
        select(Webhook.id, happened.c.event, happened.c.data)
        .join(happened, happened.c.company_id == Webhook.company_id)
        .where(Webhook.state.in_(KEPT), happened.c.event == func.any(Webhook.events))
    )
    written = await session.scalars(
        insert(WebhookDelivery)
        .from_select(["webhook_id", "event", "data"], rows)
        .returning(WebhookDelivery.id)
    )
    if written.all():
        session.info[RING] = True


def body_of(
    settings: Settings, event: str, happened_at: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    """What is sent: things with the addresses at which to ask for the rest."""
    board = settings.base_url
    found = {
        name: dict(thing) if isinstance(thing, dict) else thing for name, thing in data.items()
    }
    if application := found.get("application"):
        application["url"] = f"{board}/api/v1/applications/{application['id']}"
    if job := found.get("job"):
        job["url"] = f"{board}/api/v1/jobs/{job['id']}"
        job["page"] = f"{board}/jobs/{job['slug']}"
    return {
        "type": event,
        "version": VERSION,
        "timestamp": happened_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": found,
    }


def written(body: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
