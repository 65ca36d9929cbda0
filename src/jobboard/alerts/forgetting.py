"""Forgets what saved searches found, once nothing asks for it any more, a batch at a time."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.alerts.models import FoundJob, SavedSearch
from jobboard.clock import now

BATCH = 5_000  # found jobs
SEARCHES = 200
KEEP_TOLD = timedelta(days=400)  # longer than any job runs: nobody hears of one twice
# Longer than a job is news. Who could not be mailed for so long, having been suspended or never
# having confirmed their address, hears of what came later, once they can.
KEEP_UNTOLD = timedelta(days=60)
FOUND = aliased(FoundJob)  # a batch of them is chosen, and deleted by its key


async def told(session: AsyncSession) -> bool:
    """Forget jobs that people were told of long ago; whether there were any."""
    moment = now() - KEEP_TOLD
    return await _forget(session, FOUND.told_at < moment) > 0


async def untold(session: AsyncSession) -> bool:
    """Forget jobs that waited too long for their mail; whether there were searches with such."""
    moment = now() - KEEP_UNTOLD
    searches = await _waiting_since_before(session, moment)
    if not searches:
        return False
    gone = await _forget(
        session,
        FOUND.saved_search_id.in_(searches),
        FOUND.told_at.is_(None),
        FOUND.found_at < moment,
    )
    if gone < BATCH:
        await _wait_for_the_rest(session, searches)
    return True


async def _waiting_since_before(session: AsyncSession, moment: datetime) -> list[UUID]:
    """Locked; what another works on is left to it."""
    some = (
        select(SavedSearch.id)
        .where(SavedSearch.waiting_since < moment)
        .order_by(SavedSearch.id)
        .limit(SEARCHES)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(await session.scalars(some))


async def _wait_for_the_rest(session: AsyncSession, searches: list[UUID]) -> None:
    oldest = (
        select(func.min(FoundJob.found_at))
        .where(FoundJob.saved_search_id == SavedSearch.id, FoundJob.told_at.is_(None))
        .scalar_subquery()
    )
    await session.execute(
        update(SavedSearch)
        .where(SavedSearch.id.in_(searches))
        .values(waiting_since=oldest)
        .execution_options(synchronize_session=False)
    )


async def _forget(session: AsyncSession, *conditions: ColumnElement[bool]) -> int:
    """Delete a batch of FOUND; how many."""
    batch = select(FOUND.saved_search_id, FOUND.job_id).where(*conditions).limit(BATCH)
    gone = await session.scalars(
        delete(FoundJob)
        .where(tuple_(FoundJob.saved_search_id, FoundJob.job_id).in_(batch))
        .returning(FoundJob.job_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
