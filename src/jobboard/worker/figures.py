"""How companies answer, reckoned anew."""

from uuid import UUID

from jobboard.applications import figures
from jobboard.worker.context import Context


async def keep(context: Context) -> None:
    """Write what changed, some companies to a transaction."""
    last: UUID | None = figures.FIRST
    while last is not None:
        async with context.database.transaction() as session:
            last = await figures.keep(session, context.settings, after=last)
