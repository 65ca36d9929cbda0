"""To-dos."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.tasks import service
from jobboard.tasks.schemas import TaskCreate, TaskRead
from tests.factories.people import User


async def make_task(
    session: AsyncSession, owner: User, title: str = "Call back", **fields: Any
) -> TaskRead:
    """A to-do of this person; `fields` are those of TaskCreate. Committed."""
    task = await service.create(session, owner.actor, TaskCreate(title=title, **fields))
    await session.commit()
    return task
