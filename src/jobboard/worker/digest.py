"""The week of companies, by mail."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from pymongo.errors import PyMongoError

from jobboard.analytics import eventreport
from jobboard.applications import digest
from jobboard.worker.context import Context

DAYS = 8  # a week, and the hours of the Monday that it is mailed on
log: Any = structlog.get_logger()


async def send_digests(context: Context) -> None:
    """Each company that has something to hear of. What runs twice tells once."""
    week = digest.last_week()
    async with context.database.transaction() as session:
        companies = await digest.due(session, week)
        await digest.forget_old(session)
    for company_id in companies:
        async with context.database.transaction() as session:
            numbers = await digest.gather(session, company_id, week)
        views = await _views(context, numbers.job_ids)
        async with context.database.transaction() as session:
            await digest.send(session, company_id, week, numbers, views)


async def _views(context: Context, job_ids: Sequence[UUID]) -> int | None:
    """None while MongoDB is silent: the mail goes without."""
    if context.mongo is None:
        return None
    try:
        by_job = await eventreport.views(context.mongo.database, job_ids, DAYS)
    except PyMongoError as error:
        log.warning("digest.mongo_silent", error=type(error).__name__)
        return None
    return sum(by_job.values())
