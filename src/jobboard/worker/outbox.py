"""Empties the outbox: claims one message at a time, runs its handler, marks it done.

A message is claimed by a row lock (SKIP LOCKED), so any number of workers share the work, and a
worker that dies lets go of its message at once. Delivery is at least once: handlers are written so
that a second run does no harm.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.infra.queue import Message
from jobboard.notifications.service import MAIL
from jobboard.worker import notifications
from jobboard.worker.context import Context

Handler = Callable[[Context, AsyncSession, Message], Awaitable[None]]
HANDLERS: dict[str, Handler] = {MAIL: notifications.mail}

MAX_ATTEMPTS = 10  # with the pauses below: about 17 hours
FIRST_PAUSE = timedelta(seconds=60)
KEEP_DELIVERED = timedelta(days=7)
log: Any = structlog.get_logger()


async def deliver_all(context: Context) -> None:
    """Deliver until nothing is waiting."""
    while await _deliver_one(context):
        pass


async def _deliver_one(context: Context) -> bool:
    """Deliver the message that waited longest; False when there is none."""
    async with context.database.transaction() as session:
        message = await session.scalar(
            select(Message)
            .where(
                Message.done_at.is_(None),
                Message.failed_at.is_(None),
                Message.available_at <= now(),
            )
            .order_by(Message.available_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if message is None:
            return False
        await _deliver(context, session, message)
        return True


async def _deliver(context: Context, session: AsyncSession, message: Message) -> None:
    message.attempts += 1
    try:
        async with session.begin_nested():
            await HANDLERS[message.kind](context, session, message)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the message must not be lost
        _postpone(message, error)
    else:
        message.done_at = now()
        log.info("message.done", kind=message.kind, message_id=str(message.id))


def _postpone(message: Message, error: Exception) -> None:
    """Try again after a pause that doubles; after the last try the message stays, as failed."""
    message.last_error = f"{type(error).__name__}: {error}"[:500]
    if message.attempts >= MAX_ATTEMPTS:
        message.failed_at = now()
    else:
        message.available_at = now() + FIRST_PAUSE * 2 ** (message.attempts - 1)
    log.warning(
        "message.failed",
        kind=message.kind,
        message_id=str(message.id),
        attempts=message.attempts,
        error=message.last_error,
        final=message.failed_at is not None,
    )


async def forget_delivered(context: Context) -> None:
    """Delete the rows of messages that were delivered a while ago."""
    async with context.database.transaction() as session:
        await session.execute(delete(Message).where(Message.done_at < now() - KEEP_DELIVERED))
