"""Saved searches: what new jobs are to them, and the mails about it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.alerts import matching, telling
from jobboard.infra.queue import Message, enqueue
from jobboard.worker.context import Context

TELL = "alerts.tell"  # a message without a payload: someone wants to hear at once


async def match(session: AsyncSession, message: Message) -> None:
    """Note new jobs with the searches that they are for."""
    if await matching.match(session, [UUID(each) for each in message.payload["job_ids"]]):
        enqueue(session, TELL, {})


async def tell(context: Context, _message: Message) -> None:
    """Mail those who want to hear at once."""
    await tell_due(context)


async def tell_due(context: Context) -> None:
    """Mail everyone whose time it is, each in a transaction of their own. What runs twice, or in
    two workers, tells each person once."""
    while True:
        async with context.database.transaction() as session:
            verified = context.settings.must_verify_email
            people = await telling.due(session, verified=verified)
        told = [await _tell(context, person_id) for person_id in people]
        if not any(told):
            return


async def _tell(context: Context, person_id: UUID) -> bool:
    async with context.database.transaction() as session:
        return await telling.tell(session, person_id)


async def forget_old(context: Context) -> None:
    """Forget what people were told of long ago."""
    async with context.database.transaction() as session:
        await telling.forget_old(session)
