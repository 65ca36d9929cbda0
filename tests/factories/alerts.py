"""Saved searches."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.alerts import service
from jobboard.alerts.models import Frequency
from jobboard.alerts.schemas import SavedCriteria, SavedSearchCreate, SavedSearchRead
from tests.factories.people import User


async def make_saved_search(
    session: AsyncSession,
    user: User,
    *,
    frequency: Frequency = Frequency.AT_ONCE,
    name: str | None = None,
    **criteria: Any,
) -> SavedSearchRead:
    """A saved search of this person. Committed. `criteria` are those of GET /jobs."""
    wanted = SavedCriteria.model_validate(criteria)
    data = SavedSearchCreate(search=wanted, frequency=frequency, name=name)
    made = await service.save(session, user.actor, data)
    await session.commit()
    return made
