"""Companies' webhooks, what is delivered to them, and how each try went."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class WebhookState(StrEnum):
    """Whether a webhook is called. While it is paused its events wait; once it is `gone` (it
    answered 410) or `failing` (for days) there are none until someone turns it on again."""

    ACTIVE = "active"
    PAUSED = "paused"
    GONE = "gone"
    FAILING = "failing"


class DeliveryState(StrEnum):
    """How a delivery stands; `failed` ones are tried again only when someone says so."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(Base):
    """An address that a company wants called, and for what.

    Its secret is not stored: it is derived from the board's secret key and `salt`. The one before
    signs, too, until `previous_until`. `failures` are those since the last success, the first of
    them at `failing_since`; until `rests_until` nothing is sent.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        CheckConstraint("char_length(url) <= 2000", name="url_length"),
        CheckConstraint("cardinality(events) > 0", name="events_some"),
        CheckConstraint(
            "(previous_salt IS NULL) = (previous_until IS NULL)", name="previous_whole"
        ),
    )

    id: Mapped[Id]
    company_id: Mapped[UUID] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[WebhookState] = mapped_column(words(WebhookState), server_default="active")
    salt: Mapped[bytes]
    previous_salt: Mapped[bytes | None]
    previous_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]

    __mapper_args__ = {"version_id_col": version}


class WebhookDelivery(Base):
    """One event for one webhook; its id is the `webhook-id` that the receiver sees, at each try.

    `data` names things by id; the body is made of it when it is sent. `due_at` is when to try
    next, or, while a worker has it (`claimed_at`), until when. `attempts` count from the start of
    the schedule, which sending it again begins anew.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "ix_webhook_deliveries_open",
            "webhook_id",
            "due_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_webhook_deliveries_listed", "webhook_id", "created_at", "id"),
    )

    id: Mapped[Id]
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[DeliveryState] = mapped_column(words(DeliveryState), server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[CreatedAt] = mapped_column(index=True)
    due_at: Mapped[CreatedAt]
    claimed_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One try: the status and how the answer began, or why there was none."""

    __tablename__ = "webhook_attempts"

    id: Mapped[Id]
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[CreatedAt]
    took_ms: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None]
    answer: Mapped[str] = mapped_column(server_default="")
