"""What happens to jobs by themselves."""

from jobboard.jobs import expiry, vocabulary
from jobboard.worker.context import Context


async def expire_due(context: Context) -> None:
    """Mark the published jobs whose time is over, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await expiry.expire_due(session):
                return


async def count_terms(context: Context) -> None:
    """Let corrections and suggestions follow the jobs, a piece to a transaction."""
    more = True
    while more:
        async with context.database.transaction() as session:
            more = await vocabulary.count(session)
