"""Addresses that accounts have left are kept for them for a while.

Whoever moved an account may not be its owner, who must find their address free when they take the
account back. To everyone else such an address is taken, and told like any other that is.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import LeftAddress
from jobboard.clock import now

KEPT = timedelta(days=8)  # as long as the link to undo lives, and its letter may be under way


def leave(session: AsyncSession, person_id: UUID, email: str, at: datetime) -> None:
    """Keep an address that this account has left at that time."""
    left = LeftAddress(person_id=person_id, email=email, left_at=at, kept_until=at + KEPT)
    session.add(left)


async def kept_until(
    session: AsyncSession, email: str, *, but: UUID | None = None
) -> datetime | None:
    """Until when an address is kept for an account, other than `but`; None when it is not."""
    kept = select(func.max(LeftAddress.kept_until)).where(
        func.lower(LeftAddress.email) == email.lower(),
        LeftAddress.kept_until > now(),
        LeftAddress.person_id.is_distinct_from(but),
    )
    return await session.scalar(kept)


async def release(session: AsyncSession, person_id: UUID, since: datetime) -> None:
    """Keep no longer what an account has left since, whose owner took it back."""
    left = LeftAddress.person_id == person_id, LeftAddress.left_at >= since
    await session.execute(delete(LeftAddress).where(*left))


async def forget_expired(session: AsyncSession) -> None:
    """Delete what is kept no longer."""
    await session.execute(delete(LeftAddress).where(LeftAddress.kept_until < now()))
