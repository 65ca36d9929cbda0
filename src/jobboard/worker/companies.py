"""News of companies, letters that invite to them, and what becomes of invitations by themselves."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies import invitations, news
from jobboard.infra.queue import Message
from jobboard.worker.context import Context
from jobboard.worker.notifications import post


async def tell_members(session: AsyncSession, message: Message) -> None:
    """One message for a company becomes one for each of its people."""
    await news.tell_members(session, message.payload)


async def send_invitation(context: Context, message: Message) -> None:
    """Mail the link."""
    invitation_id = UUID(message.payload["invitation_id"])
    async with context.database.transaction() as session:
        letter = await invitations.write(session, invitation_id, context.settings)
    if letter is not None:
        await post(context, message, letter)


async def forget_invitations(context: Context) -> None:
    """Delete those that nobody answered in time."""
    async with context.database.transaction() as session:
        await invitations.forget_expired(session)
