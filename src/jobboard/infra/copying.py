"""While a backup copies the files of a board, none is deleted: its rows are those of the moment at
which it began, and each of them must find its files."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

LOCK = 4_839_201_767  # ours among the advisory locks of a database; a backup has it alone


async def may_delete(session: AsyncSession) -> bool:
    """Whether no backup is under way; then none begins to copy before this transaction ends."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock_shared(LOCK))))
