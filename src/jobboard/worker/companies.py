"""News of companies."""

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies import news
from jobboard.infra.queue import Message


async def tell_members(session: AsyncSession, message: Message) -> None:
    """One message for a company becomes one for each of its people."""
    await news.tell_members(session, message.payload)
