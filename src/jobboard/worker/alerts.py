"""Saved searches: what new jobs are to them, and the mails about it.

Each message does a piece, and leaves the rest to another: however many people wait for a job, no
transaction is long, and other messages get their turn in between.
"""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.alerts import forgetting, matching, refiling, telling
from jobboard.alerts.matching import Work
from jobboard.infra.queue import Message, enqueue
from jobboard.worker.context import Context

MATCH = "alerts.match"  # what another left to do; its payload: {job_ids, after}
TELL = "alerts.tell"  # a message without a payload: someone wants to hear
log: Any = structlog.get_logger()


async def match(session: AsyncSession, message: Message) -> None:
    """Note new jobs with the searches that they are for."""
    payload = message.payload
    after = payload.get("after")
    jobs = [UUID(each) for each in payload["job_ids"]]
    matched = await matching.match(session, Work(jobs, UUID(after) if after else None))
    for left in matched.left:
        rest = {"job_ids": [str(each) for each in left.jobs]}
        enqueue(session, MATCH, rest | ({"after": str(left.after)} if left.after else {}))
    if matched.at_once:
        await _have_told(session)


async def tell(context: Context, _message: Message) -> None:
    """Mail those whose time it is."""
    await tell_due(context)


async def tell_due(context: Context) -> None:
    """Mail those who wait longest, each in a transaction of their own; another message goes on with
    the others. What runs twice, or in two workers, tells each person once."""
    verified = context.settings.must_verify_email
    async with context.database.transaction() as session:
        people = await telling.due(session, verified=verified)
    told = [await _tell(context, person_id) for person_id in people]
    if len(people) == telling.PEOPLE and any(told):
        async with context.database.transaction() as session:
            await _have_told(session)


async def _have_told(session: AsyncSession) -> None:
    """Queue one message for all who are due, unless one waits that nobody has begun. Should it be
    begun before this commits, the clock's minute finds what is left."""
    waits = exists().where(
        Message.kind == TELL,
        Message.available_at <= func.now(),
        Message.done_at.is_(None),
        Message.failed_at.is_(None),
        Message.claimed_at.is_(None),
    )
    if not await session.scalar(select(waits)):
        enqueue(session, TELL, {})


async def _tell(context: Context, person_id: UUID) -> bool:
    """What breaks is this person's mail alone: those who wait behind them get theirs."""
    try:
        async with context.database.transaction() as session:
            return await telling.tell(session, person_id)
    except Exception as error:  # noqa: BLE001 - others wait behind them
        log.warning("alerts.broke", person_id=str(person_id), error=type(error).__name__)
        return False


async def forget_old(context: Context) -> None:
    """Forget what nothing asks for any more, a batch to a transaction."""
    for forget in (forgetting.told, forgetting.untold):
        more = True
        while more:
            async with context.database.transaction() as session:
                more = await forget(session)


async def refile(context: Context) -> None:
    """File anew what words mean something else to, a batch to a transaction."""
    more = True
    while more:
        async with context.database.transaction() as session:
            more = await refiling.refile(session)
