"""The outbox: messages for workers are rows, written in the transaction that causes them.

Celery, over Redis or RabbitMQ, is only the doorbell. A ring that is lost costs a few seconds, never
a message: the worker's schedule looks for waiting rows whether or not it heard one (docs/queue.md).
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from sqlalchemy import Index, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.clock import now
from jobboard.infra.postgres import RING, Base, CreatedAt, Id, words
from jobboard.infra.provenance import origin
from jobboard.infra.traces import traceparent

if TYPE_CHECKING:
    from celery import Celery

DELIVER = "jobboard.deliver"  # the Celery task that empties the outbox
TICK = "jobboard.tick"  # the one that does what is due by the clock
REDIS_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "visibility_timeout": 600}
# Seconds for each answer and each frame: a RabbitMQ that is frozen takes connections, too.
AMQP_OPTIONS = {"read_timeout": 5, "write_timeout": 5}
log = structlog.get_logger()


class Failure(StrEnum):
    """Why nobody tries a message again by itself. `web/admin_background.py` has words for each."""

    GAVE_UP = "gave_up"  # tried as often as we do
    STOPPED = "stopped"  # the worker died in the middle of the last try
    UNSURE = "unsure"  # nobody knows whether it was done: once more might be once too often
    REFUSED = "refused"  # trying again would not help
    UNKNOWN = "unknown"  # of a kind that this version does not know


class GiveUp(Exception):
    """What a handler raises where trying again would not help, or must not happen."""

    def __init__(self, failure: Failure, words: str) -> None:
        super().__init__(words)
        self.failure = failure


class NotDone(Exception):
    """What a handler raises where it is certain that what it handed over did not happen."""


class Message(Base):
    """Something that a worker must do once. Done rows lose their payload at once and go after a
    while; failed ones wait for a moderator, a month at most.

    `claimed_at` is set while a worker has it, until `available_at`. `handed_over_at` is set right
    before what cannot be taken back, such as the last byte of a mail.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index(
            "ix_messages_waiting",
            "available_at",
            postgresql_where=text("done_at IS NULL AND failed_at IS NULL"),
        ),
        Index(
            "ix_messages_failed",
            "failed_at",
            "id",
            postgresql_where=text("failed_at IS NOT NULL"),
        ),
        Index("ix_messages_done_at", "done_at", postgresql_where=text("done_at IS NOT NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[CreatedAt]
    available_at: Mapped[CreatedAt]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    claimed_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[Failure | None] = mapped_column(words(Failure))
    last_error: Mapped[str | None]
    request_id: Mapped[str] = mapped_column(server_default="")  # of the request that caused it
    traceparent: Mapped[str] = mapped_column(server_default="")  # and of its trace


def enqueue(
    session: AsyncSession, kind: str, payload: dict[str, Any], *, later: timedelta = timedelta()
) -> None:
    """Queue a message that exists if, and only if, this transaction commits."""
    message = Message(
        kind=kind, payload=payload, request_id=origin().request_id, traceparent=traceparent()
    )
    if later:
        message.available_at = now() + later
    session.add(message)
    session.info[RING] = True


async def still_waits(session: AsyncSession, message_id: UUID) -> bool:
    """Whether a message was not taken back; nobody does until the transaction ends."""
    waits = select(Message.id).where(Message.id == message_id, Message.done_at.is_(None))
    found = await session.scalar(waits.with_for_update(read=True, key_share=True))
    return found is not None


def make_celery(broker_url: str) -> "Celery":
    """A Celery app on this broker that never waits long for one that is gone."""
    # Here, not above: a web process starts sooner, and is 5 MB smaller until its first ring.
    from celery import Celery

    celery = Celery("jobboard", broker=broker_url, set_as_current=False)
    celery.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=AMQP_OPTIONS if broker_url.startswith("amqp") else REDIS_OPTIONS,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        timezone="UTC",
    )
    return celery


class Doorbell:
    """Rings without making the request wait: one thread, and rings that wait fold into one."""

    def __init__(self, broker_url: str) -> None:
        self._broker_url = broker_url
        self._celery: Celery | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="doorbell")
        self._lock = Lock()
        self._waiting = False

    def ring(self) -> None:
        """Tell the workers, soon, that there is something to do."""
        with self._lock:
            if self._waiting:
                return
            self._waiting = True
        self._thread.submit(self._send)

    def _send(self) -> None:
        with self._lock:
            self._waiting = False
        try:
            self._celery = self._celery or make_celery(self._broker_url)
            self._celery.send_task(DELIVER, retry=False, ignore_result=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the schedule delivers instead
            log.warning("doorbell.silent", error=type(error).__name__)

    def close(self) -> None:
        """Let a ring under way finish and let go of the broker."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._celery is not None:
            self._celery.close()
