"""What happens to files by themselves."""

from datetime import timedelta
from typing import Any

import structlog

from jobboard.clock import now
from jobboard.infra.copying import may_delete
from jobboard.infra.queue import Message, enqueue
from jobboard.uploads import service
from jobboard.worker.context import Context

SETTLED = timedelta(hours=1)  # no transaction is open for so long: its row is there, or never will
PUT_OFF = timedelta(minutes=1)  # while a backup copies the files
log: Any = structlog.get_logger()


async def forget_files(context: Context, message: Message) -> None:
    """Delete the files of an upload that is gone. One that is gone already is no error."""
    async with context.database.transaction() as session:
        if not await may_delete(session):
            enqueue(session, message.kind, message.payload, later=PUT_OFF)
            return
        for key in message.payload["keys"]:
            await context.storage.delete(key)


async def sweep(context: Context) -> None:
    """Delete the files whose transaction failed after they were written. During a backup those
    whose row went after its beginning look the same: then it is for the next time."""
    swept = 0
    async for keys in context.storage.keys(before=now() - SETTLED):
        async with context.database.transaction() as session:
            if not await may_delete(session):
                break
            swept += await service.sweep(session, context.storage, keys)
    if swept:
        log.info("files.swept", count=swept)
