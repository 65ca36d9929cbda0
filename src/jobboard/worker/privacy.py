"""The second half of an erasure, and what expires by itself. Each may run twice."""

from uuid import UUID

from jobboard.infra.queue import Message
from jobboard.privacy import erasure
from jobboard.privacy.export import HITS
from jobboard.worker.context import Context


async def forget_rest(context: Context, message: Message) -> None:
    """Rows that a request under way still wrote, and the person's id in the log of calls: what was
    called is still counted."""
    async with context.database.transaction() as session:
        await erasure.forget_rows(session, UUID(message.payload["person_id"]))
    if context.mongo is not None:
        await context.mongo.database[HITS].update_many(
            {"person_id": message.payload["person_id"]},
            {"$set": {"person_id": None, "address": ""}},
        )


async def expire_rejected(context: Context) -> None:
    """Delete applications that were turned down long ago, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await erasure.expire_rejected(session, context.settings.rejected_days):
                return
