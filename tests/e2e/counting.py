"""The worker that `test_queue.py` kills: the product's own, with one more kind of message.

Its effect is a row in a table without a unique key, so that one time too many would be seen. A
lease is short, so that the test need not wait long for what a killed worker had in hand.
"""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.queue import Message
from jobboard.worker import claims, outbox
from jobboard.worker.celery import app

COUNT = "test.count"
INSERT = text("INSERT INTO effects (number) VALUES (:number)")

__all__ = ["app"]


async def count(session: AsyncSession, message: Message) -> None:
    """Write down that it happened."""
    await session.execute(INSERT, {"number": message.payload["number"]})


outbox.EFFECTS[COUNT] = count
claims.LEASE = timedelta(seconds=5)
claims.FIRST_PAUSE = timedelta(seconds=0.1)
claims.MAX_ATTEMPTS = 30
app.conf.beat_schedule["deliver"]["schedule"] = 1.0
app.conf.beat_schedule["tick"]["schedule"] = 3600.0
