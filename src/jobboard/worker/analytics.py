"""What is counted by itself."""

from typing import Any

import structlog
from pymongo.errors import PyMongoError

from jobboard.analytics import rollups
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
