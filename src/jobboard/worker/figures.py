"""How companies answer, reckoned anew."""

from jobboard.applications import figures
from jobboard.worker.context import Context


async def keep(context: Context) -> None:
    """Write what changed."""
    async with context.database.transaction() as session:
        await figures.keep(session, context.settings)
