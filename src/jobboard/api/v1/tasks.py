"""To-dos of the signed-in person."""

from typing import Annotated

from fastapi import Query

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import PathId, SessionDep, acts
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.pagination import Page
from jobboard.tasks import queries, service
from jobboard.tasks.schemas import TaskCreate, TaskRead, TaskReplace, TaskSearch, TaskUpdate

router = Router(prefix="/tasks", tags=["tasks"])

ReaderDep = Annotated[Actor, acts(Right.SEE_TASK)]
WriterDep = Annotated[Actor, acts(Right.WRITE_TASK)]


@router.get("")
async def list_tasks(
    query: Annotated[TaskSearch, Query()], session: SessionDep, actor: ReaderDep
) -> Page[TaskRead]:
    """My tasks.

    A cursor leads on in the list that it came from: send the same filters and sort with it.
    """
    return await service.list_tasks(session, actor, query)


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
async def create_task(data: TaskCreate, session: SessionDep, actor: WriterDep) -> TaskRead:
    """Make a task, alone or about an application or a job that I may see."""
    return await service.create(session, actor, data)


@router.get("/{id}")
async def get_task(task_id: PathId, session: SessionDep, actor: ReaderDep) -> TaskRead:
    """One of my tasks."""
    return await queries.get(session, actor, task_id)


@router.put("/{id}")
async def replace_task(
    task_id: PathId, data: TaskReplace, session: SessionDep, actor: WriterDep, match: IfMatchDep
) -> TaskRead:
    """Make the whole task what I send: what is left out goes back to its default."""
    data.version = await match.version(lambda: queries.get(session, actor, task_id), data.version)
    return await service.replace(session, actor, task_id, data)


@router.patch("/{id}")
async def update_task(
    task_id: PathId, data: TaskUpdate, session: SessionDep, actor: WriterDep, match: IfMatchDep
) -> TaskRead:
    """Change what I send: absent keeps, null clears.

    `title`, `done` and `priority` cannot be null.
    """
    data.version = await match.version(lambda: queries.get(session, actor, task_id), data.version)
    return await service.change(session, actor, task_id, data)


@router.delete("/{id}", status_code=204)
async def delete_task(
    task_id: PathId, session: SessionDep, actor: WriterDep, match: IfMatchDep
) -> None:
    """Throw a task away. It cannot be brought back."""
    version = await match.version(lambda: queries.get(session, actor, task_id))
    await service.delete_task(session, actor, task_id, version=version)
