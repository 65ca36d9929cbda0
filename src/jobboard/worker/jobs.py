"""What happens to jobs by themselves."""

from jobboard.jobs import expiry
from jobboard.worker.context import Context


async def expire_due(context: Context) -> None:
    """Mark the published jobs whose time is over, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await expiry.expire_due(session):
                return
