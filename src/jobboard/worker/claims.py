"""Who has a message: claiming it, and noting how it went. Every statement decides by itself.

A claim is a lease, committed at once, so that no transaction is open while a handler waits for a
slow mail server. A message of a worker that died is due again when its lease is over; what that
worker still does then, if it only slept, is refused by `attempts`, which has gone on.
"""

import random
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.infra.queue import Failure, GiveUp, Message, NotDone
from jobboard.schema import made_storable
from jobboard.worker.context import Context

LEASE = timedelta(seconds=90)  # an attempt, what it takes to hang up on a mail server, and some
MAX_ATTEMPTS: int = 10  # with the pauses below: about 8.5 hours
FIRST_PAUSE = timedelta(seconds=60)
JITTER = 0.2  # of a pause, more or less: what failed together does not come back together
LOST = {
    Failure.STOPPED: "The worker stopped in the middle of the last attempt.",
    Failure.UNSURE: "The worker stopped while it handed this over.",
}
log: Any = structlog.get_logger()


class LeaseLost(Exception):
    """Another worker has the message by now."""


async def claim(context: Context) -> Message | None:
    """Lease the message that waited longest, and count the attempt before it can kill the
    process."""
    oldest = (
        select(Message.id)
        .where(*_due(), Message.attempts < MAX_ATTEMPTS, Message.handed_over_at.is_(None))
        .order_by(Message.available_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    moment = now()
    taken = (
        update(Message)
        .where(Message.id == oldest)
        .values(attempts=Message.attempts + 1, claimed_at=moment, available_at=moment + LEASE)
        .returning(Message)
        .execution_options(synchronize_session=False)
    )
    async with context.database.transaction() as session:
        return await session.scalar(taken)


def _due() -> tuple:
    return (Message.done_at.is_(None), Message.failed_at.is_(None), Message.available_at <= now())


async def give_up_the_lost(context: Context) -> None:
    """Fail what nobody may try again: each of its attempts ended with its worker, or it was handed
    over and nobody lived to say so."""
    lost = (
        select(Message.id)
        .where(
            *_due(),
            or_(Message.attempts >= MAX_ATTEMPTS, Message.handed_over_at.is_not(None)),
        )
        .with_for_update(skip_locked=True)
    )
    failure = case((Message.handed_over_at.is_not(None), Failure.UNSURE), else_=Failure.STOPPED)
    words = case(
        (Message.handed_over_at.is_not(None), LOST[Failure.UNSURE]), else_=LOST[Failure.STOPPED]
    )
    async with context.database.transaction() as session:
        rows = await session.execute(
            update(Message)
            .where(Message.id.in_(lost))
            .values(failed_at=now(), claimed_at=None, failure=failure, last_error=words)
            .returning(Message.id, Message.kind, Message.attempts, Message.failure)
            .execution_options(synchronize_session=False)
        )
        found = rows.all()
    for row in found:
        _warn(row, LOST[row.failure], final=True)


async def mark(session: AsyncSession, message: Message, **values: Any) -> None:
    """Change the row of a message that is still ours. Raises LeaseLost."""
    held = await session.scalar(
        update(Message)
        .where(
            Message.id == message.id,
            Message.attempts == message.attempts,
            Message.done_at.is_(None),
            Message.failed_at.is_(None),
        )
        .values(values)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    if held is None:
        raise LeaseLost


async def mark_done(session: AsyncSession, message: Message) -> None:
    """What it said is of no use any more, and may name people, whose account it would outlive."""
    await mark(
        session, message, done_at=now(), claimed_at=None, payload={}, failure=None, last_error=None
    )


async def hand_over(context: Context, message: Message) -> None:
    """Say that the next step cannot be taken back. Of two workers, one gets past this.

    Until the message is marked, nobody knows how that step ended if this process dies: then nobody
    takes it again, and a moderator is shown the message (Failure.UNSURE). Raises LeaseLost.
    """
    message.handed_over_at = now()
    async with context.database.transaction() as session:
        await mark(session, message, handed_over_at=message.handed_over_at)


async def mark_failed(context: Context, message: Message, error: Exception) -> None:
    """Try again after a pause, or leave it to a moderator. Raises LeaseLost."""
    values = _failed(message, error)
    async with context.database.transaction() as session:
        await mark(session, message, claimed_at=None, handed_over_at=None, **values)
    _warn(message, values["last_error"], final="failed_at" in values)


def _failed(message: Message, error: Exception) -> dict[str, Any]:
    if isinstance(error, GiveUp):
        return _gave_up(error.failure, str(error))
    words = f"{type(error).__name__}: {error}"
    if message.handed_over_at is not None and not isinstance(error, NotDone):
        return _gave_up(Failure.UNSURE, words)
    if message.attempts >= MAX_ATTEMPTS:
        return _gave_up(Failure.GAVE_UP, words)
    return {
        "last_error": made_storable(words[:500]),
        "available_at": now() + pause(message.attempts),
    }


def _gave_up(failure: Failure, words: str) -> dict[str, Any]:
    return {"failed_at": now(), "failure": failure, "last_error": made_storable(words[:500])}


def pause(attempts: int) -> timedelta:
    """A minute after the first attempt, then twice as long each time, give or take a fifth."""
    return FIRST_PAUSE * 2 ** (attempts - 1) * random.uniform(1 - JITTER, 1 + JITTER)


def _warn(message: Any, error: str, *, final: bool) -> None:
    log.warning(
        "message.failed",
        kind=message.kind,
        message_id=str(message.id),
        attempts=message.attempts,
        error=error,
        final=final,
    )
