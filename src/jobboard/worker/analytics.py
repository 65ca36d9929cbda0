"""What is counted by itself."""

from collections.abc import Awaitable
from typing import Any

import structlog
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from jobboard.analytics import rollups, searches
from jobboard.worker.context import Context

log: Any = structlog.get_logger()


async def roll_up(context: Context) -> None:
    """Count the hits that came since the last time. While MongoDB is silent they wait for it."""
    if (database := await _found(context)) is not None:
        await _patiently(rollups.roll_up(database))


async def roll_up_searches(context: Context) -> None:
    """Count what people searched for since the last time, if MongoDB answers."""
    if (database := await _found(context)) is not None:
        days = context.settings.events_ttl_days
        await _patiently(searches.roll_up(database, ttl_days=days))


async def _found(context: Context) -> AsyncDatabase | None:
    """Asked before, for a moment only: counting itself may take minutes, and other work waits."""
    if context.mongo is None or not await context.mongo.is_there():
        return None
    return context.mongo.database


async def _patiently(counting: Awaitable[object]) -> None:
    try:
        await counting
    except PyMongoError as error:
        log.warning("analytics.mongo_silent", error=type(error).__name__)
