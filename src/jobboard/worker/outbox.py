"""Empties the outbox: claims one message at a time, does what it asks for, marks it done.

There are two kinds of handlers. An *effect* is rows: it runs in the transaction that marks its
message done, so that it happens exactly once, whoever dies when. A *handler* does something outside
the database, which no transaction can hold: it brings a key of its own that makes a second run
harmless, or says `claims.hand_over` before what cannot be taken back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.links import LETTER
from jobboard.clock import now
from jobboard.companies import invitations
from jobboard.companies.news import COMPANY_NEWS
from jobboard.infra.provenance import Origin, coming_from
from jobboard.infra.queue import Failure, GiveUp, Message
from jobboard.infra.traces import working
from jobboard.jobs.news import PUBLISHED
from jobboard.notifications.service import MAIL
from jobboard.privacy.erasure import FORGET_REST
from jobboard.uploads.service import FORGET_FILES
from jobboard.worker import (
    accounts,
    alerts,
    claims,
    companies,
    notifications,
    privacy,
    uploads,
    webhooks,
)
from jobboard.worker.claims import LeaseLost
from jobboard.worker.context import Context

Handler = Callable[[Context, Message], Awaitable[None]]
Effect = Callable[[AsyncSession, Message], Awaitable[None]]
HANDLERS: dict[str, Handler] = {
    MAIL: notifications.mail,
    LETTER: accounts.send_letter,
    invitations.LETTER: companies.send_invitation,
    FORGET_FILES: uploads.forget_files,
    FORGET_REST: privacy.forget_rest,
    alerts.TELL: alerts.tell,
}
EFFECTS: dict[str, Effect] = {
    COMPANY_NEWS: companies.tell_members,
    PUBLISHED: alerts.match,
    alerts.MATCH: alerts.match,
}

LANES = 3  # messages that one process works on at once: a slow mail server holds up one of them
ATTEMPT_SECONDS = 60.0
KEEP_DELIVERED = timedelta(days=7)
KEEP_FAILED = timedelta(days=30)
log: Any = structlog.get_logger()


async def deliver_all(context: Context) -> None:
    """Deliver until nothing is waiting: messages, and beside them what goes to webhooks."""
    await claims.give_up_the_lost(context)
    async with asyncio.TaskGroup() as lanes:
        calls = lanes.create_task(webhooks.deliver_due(context))
        for _ in range(LANES):
            lanes.create_task(_deliver_lane(context, calls))


async def _deliver_lane(context: Context, calls: asyncio.Task[None]) -> None:
    """However long receivers of webhooks take, a message is seen within a second."""
    await _deliver_waiting(context)
    while not calls.done():
        await asyncio.wait([calls], timeout=webhooks.LOOK_SECONDS)
        await _deliver_waiting(context)


async def _deliver_waiting(context: Context) -> None:
    while (message := await claims.claim(context)) is not None:
        with (
            coming_from(Origin(request_id=message.request_id)),
            working(context.traces, message.kind, message.traceparent),
        ):
            await _deliver_one(context, message)


async def _deliver_one(context: Context, message: Message) -> None:
    try:
        await _deliver(context, message)
    except LeaseLost:
        log.warning("message.lease_lost", kind=message.kind, message_id=str(message.id))
    else:
        log.info("message.handled", kind=message.kind, message_id=str(message.id))


async def _deliver(context: Context, message: Message) -> None:
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            await _do(context, message)
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the message must not be lost
        await claims.mark_failed(context, message, error)


async def _do(context: Context, message: Message) -> None:
    """Mark first where both are rows: of two workers that have it, the second waits, and finds
    nothing to do."""
    if effect := EFFECTS.get(message.kind):
        async with context.database.transaction() as session:
            await claims.mark_done(session, message)
            await effect(session, message)
        return
    handler = HANDLERS.get(message.kind)
    if handler is None:
        raise GiveUp(Failure.UNKNOWN, f"This version knows no messages of kind {message.kind}.")
    await handler(context, message)
    async with context.database.transaction() as session:
        await claims.mark_done(session, message)


async def forget_old(context: Context) -> None:
    """Delete the rows of messages that were delivered a while ago, or that failed and that nobody
    looked after."""
    old = or_(Message.done_at < now() - KEEP_DELIVERED, Message.failed_at < now() - KEEP_FAILED)
    async with context.database.transaction() as session:
        await session.execute(delete(Message).where(old))
