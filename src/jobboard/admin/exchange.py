"""Exchange rates, as who has the command line loads them. The audit log tells of it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.audit import service as audit
from jobboard.audit.models import Action
from jobboard.jobs.exchange import rates
from jobboard.jobs.exchange.eurofxref import Rate


async def load(session: AsyncSession, given: Sequence[Rate], source: str) -> int:
    """Add rates; how many are new or another. Raises Invalid."""
    loaded = await rates.load(session, given, source)
    if loaded:
        newest = max(rate.day for rate in given).isoformat()
        details = {"rates": loaded, "newest": newest}
        audit.record(session, Action.RATES_LOADED, person_id=None, details=details)
    return loaded
