"""Files saved searches anew, whose words have come to mean something else.

Until then they are `stale`, and looked at for every new job: slower, and never wrong.
"""

from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.alerts import index
from jobboard.alerts.models import SavedSearch
from jobboard.alerts.schemas import SavedCriteria

BATCH = 500  # searches in one transaction
REFILED = (
    update(SavedSearch)
    .where(SavedSearch.id == bindparam("search"))
    .values(stale=False, **{name: bindparam(name) for name in index.Filed._fields})
)
log: Any = structlog.get_logger()


async def refile(session: AsyncSession) -> bool:
    """File a batch of stale searches; whether there may be more. Two workers share them."""
    some = (
        select(SavedSearch.id, SavedSearch.criteria)
        .where(SavedSearch.stale)
        .order_by(SavedSearch.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = (await session.execute(some)).all()
    readable = {row.id: data for row in rows if (data := _read(row.id, row.criteria))}
    filed = await index.file_all(session, list(readable.values()))
    nowhere = dict.fromkeys((row.id for row in rows), index.Filed([index.ANYTHING], [], None))
    places = nowhere | dict(zip(readable, filed, strict=True))
    if places:
        values = [{"search": each, **place._asdict()} for each, place in places.items()]
        await (await session.connection()).execute(REFILED, values)
    return len(rows) == BATCH


def _read(search_id: UUID, criteria: dict[str, Any]) -> SavedCriteria | None:
    """None where rules that came later refuse it: whoever matches it says so, too."""
    try:
        return SavedCriteria.kept(criteria)
    except ValidationError:
        log.warning("alerts.unreadable", search_id=str(search_id))
        return None
