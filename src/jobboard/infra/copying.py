"""While a backup copies the files of a board, none is deleted: its rows are those of the moment at
which it began, and each of them must find its files."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.locks import COPYING


async def may_delete(session: AsyncSession) -> bool:
    """Whether no backup is under way; then none begins to copy before this transaction ends."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock_shared(COPYING))))
