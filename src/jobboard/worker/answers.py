"""Answers that were kept for a day."""

from jobboard.infra import idempotency
from jobboard.worker.context import Context


async def forget_old(context: Context) -> None:
    """Delete the answers that nobody may ask for again, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await idempotency.forget_old(session):
                return
