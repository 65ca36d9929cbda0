"""What is counted by itself."""

from typing import Any

import structlog
from pymongo.errors import PyMongoError

from jobboard.analytics import rollups, searches
from jobboard.worker.context import Context

log: Any = structlog.get_logger()


async def roll_up(context: Context) -> None:
    """Count the hits that came since the last time. While MongoDB is silent they wait for it."""
    if context.mongo is None:
        return
    try:
        await rollups.roll_up(context.mongo.database)
    except PyMongoError as error:
        log.warning("analytics.mongo_silent", error=type(error).__name__)


async def roll_up_searches(context: Context) -> None:
    """Count what people searched for since the last time, if MongoDB answers."""
    if context.mongo is None:
        return
    try:
        await searches.roll_up(context.mongo.database, ttl_days=context.settings.events_ttl_days)
    except PyMongoError as error:
        log.warning("analytics.mongo_silent", error=type(error).__name__)
