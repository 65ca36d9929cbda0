"""Empties the outbox: claims one message at a time, runs its handler, marks it done.

A claim is a lease: committed at once, so that no transaction is open while a handler waits for a
slow mail server. A message of a worker that died is due again when the lease is over. Delivery is
at least once: handlers are written so that a second run does no harm.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select, update

from jobboard.accounts.links import LETTER
from jobboard.clock import now
from jobboard.infra.queue import Message
from jobboard.notifications.service import MAIL
from jobboard.privacy.erasure import FORGET_REST
from jobboard.uploads.service import FORGET_FILES
from jobboard.worker import accounts, notifications, privacy, uploads
from jobboard.worker.context import Context

Handler = Callable[[Context, Message], Awaitable[None]]
HANDLERS: dict[str, Handler] = {
    MAIL: notifications.mail,
    LETTER: accounts.send_letter,
    FORGET_FILES: uploads.forget_files,
    FORGET_REST: privacy.forget_rest,
}

ATTEMPT_SECONDS = 60.0
LEASE = timedelta(minutes=2)  # an attempt, what it takes to hang up on a mail server, and some
MAX_ATTEMPTS = 10  # with the pauses below: about 8.5 hours
FIRST_PAUSE = timedelta(seconds=60)
KEEP_DELIVERED = timedelta(days=7)
log: Any = structlog.get_logger()


async def deliver_all(context: Context) -> None:
    """Deliver until nothing is waiting."""
    while await _deliver_one(context):
        pass


async def _deliver_one(context: Context) -> bool:
    """Deliver the message that waited longest; False when there is none."""
    message = await _claim(context)
    if message is None:
        return False
    if message.failed_at is None:
        await _mark(context, message, await _attempt(context, message))
    return True


async def _claim(context: Context) -> Message | None:
    """Lease a message to this worker, and count the attempt before it can kill the process."""
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
        if message is not None:
            _lease(message)
    return message


def _lease(message: Message) -> None:
    """One more attempt; or the end, when even the last one was never marked."""
    if message.attempts < MAX_ATTEMPTS:
        message.attempts += 1
        message.available_at = now() + LEASE
        return
    message.failed_at = now()
    message.last_error = error = "The worker stopped in the middle of the last attempt."
    _warn(message, error, final=True)


async def _attempt(context: Context, message: Message) -> Exception | None:
    """Run the handler; what went wrong, if anything did."""
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            await HANDLERS[message.kind](context, message)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the message must not be lost
        return error
    return None


async def _mark(context: Context, message: Message, error: Exception | None) -> None:
    """Note how an attempt ended, unless its lease ran out and the message is another's by now."""
    values = _postponed(message, error) if error else _done()
    async with context.database.transaction() as session:
        held = await session.scalar(
            update(Message)
            .where(
                Message.id == message.id,
                Message.attempts == message.attempts,
                Message.failed_at.is_(None),
            )
            .values(values)
            .returning(Message.id)
        )
    if held is None:
        log.warning("message.lease_lost", kind=message.kind, message_id=str(message.id))
    elif error:
        _warn(message, values["last_error"], final="failed_at" in values)
    else:
        log.info("message.done", kind=message.kind, message_id=str(message.id))


def _done() -> dict[str, Any]:
    """What it said is of no use any more, and may name people, whose account it would outlive."""
    return {"done_at": now(), "payload": {}, "last_error": None}


def _postponed(message: Message, error: Exception) -> dict[str, Any]:
    """Try again after a pause that doubles; after the last try the message stays, as failed."""
    values: dict[str, Any] = {"last_error": _storable(f"{type(error).__name__}: {error}")}
    if message.attempts >= MAX_ATTEMPTS:
        return values | {"failed_at": now()}
    return values | {"available_at": now() + FIRST_PAUSE * 2 ** (message.attempts - 1)}


def _storable(text: str) -> str:
    """Without what PostgreSQL refuses: the answer of a mail server may hold any byte."""
    return text[:500].encode(errors="replace").decode().replace("\0", "?")


def _warn(message: Message, error: str, *, final: bool) -> None:
    log.warning(
        "message.failed",
        kind=message.kind,
        message_id=str(message.id),
        attempts=message.attempts,
        error=error,
        final=final,
    )


async def forget_delivered(context: Context) -> None:
    """Delete the rows of messages that were delivered a while ago."""
    async with context.database.transaction() as session:
        await session.execute(delete(Message).where(Message.done_at < now() - KEEP_DELIVERED))
