"""The verbs of to-dos: make, read, list, change in whole or in part, delete."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.errors import Conflict, Invalid, require_version
from jobboard.pagination import Page, cut
from jobboard.tasks import queries
from jobboard.tasks.models import Task
from jobboard.tasks.schemas import (
    TWO_SUBJECTS,
    TaskCreate,
    TaskRead,
    TaskReplace,
    TaskSearch,
    TaskUpdate,
)

MOST = 2000  # of one person; what is found and sorted without an index stays quick with so many
PLAIN = ("title", "due_at", "priority")


async def create(session: AsyncSession, actor: Actor, data: TaskCreate) -> TaskRead:
    """A new task of one's own. Raises Conflict when there are too many, Invalid for a link."""
    await _require_room(session, actor)
    await _require_visible(session, actor, data.application_id, data.job_id)
    task = Task(
        person_id=actor.id,
        title=data.title,
        notes=data.notes,
        priority=data.priority,
        due_at=data.due_at,
        done_at=now() if data.done else None,
        application_id=data.application_id,
        job_id=data.job_id,
    )
    session.add(task)
    await session.flush()
    return await queries.get(session, actor, task.id)


async def _require_room(session: AsyncSession, actor: Actor) -> None:
    """Raise Conflict when one more is too many. One at a time for each person."""
    own_lock = func.hashtextextended(f"tasks of {actor.id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(own_lock)))
    if sum(await queries.count(session, actor)) >= MOST:
        raise Conflict(
            f"You have {MOST:,} tasks, and more do not fit. Delete some that are done.",
            code="too_many_tasks",
        )


async def _require_visible(
    session: AsyncSession, actor: Actor, application_id: UUID | None, job_id: UUID | None
) -> None:
    if application_id and not await queries.visible_application(session, actor, application_id):
        raise Invalid.field("application_id", "There is no such application for you to see.")
    if job_id and not await queries.visible_job(session, actor, job_id):
        raise Invalid.field("job_id", "There is no such job for you to see.")


async def list_tasks(session: AsyncSession, actor: Actor, search: TaskSearch) -> Page[TaskRead]:
    """One page of one's own tasks. Raises Invalid for a wrong cursor."""
    rows = (await session.execute(queries.page(actor, search))).all()
    shown, more = cut(rows, search.limit)
    return Page(
        items=[queries.read(row) for row in shown],
        next_cursor=queries.write_cursor(search, shown[-1]) if more else None,
    )


async def replace(
    session: AsyncSession, actor: Actor, task_id: UUID, data: TaskReplace
) -> TaskRead:
    """Make the whole task what is given. Raises NotFound, Conflict, Invalid."""
    given = {name: getattr(data, name) for name in TaskCreate.model_fields}
    return await _write(session, actor, task_id, given, data.version)


async def change(session: AsyncSession, actor: Actor, task_id: UUID, data: TaskUpdate) -> TaskRead:
    """Change what is given: absent keeps, null clears. Raises NotFound, Conflict, Invalid."""
    given = {name: getattr(data, name) for name in data.model_fields_set - {"version"}}
    return await _write(session, actor, task_id, given, data.version)


async def _write(
    session: AsyncSession,
    actor: Actor,
    task_id: UUID,
    given: dict[str, Any],
    version: int | None,
) -> TaskRead:
    task = await queries.get_to_change(session, actor, task_id)
    require_version(task.version, version, "this task")
    await _link(session, actor, task, given)
    for name, value in _columns(task, given).items():
        if getattr(task, name) != value:
            setattr(task, name, value)
    if session.is_modified(task):
        task.updated_at = now()
        await session.flush()
    return await queries.get(session, actor, task_id)


def _columns(task: Task, given: dict[str, Any]) -> dict[str, Any]:
    """The columns of the fields that are given. What is done stays done since when it was."""
    columns = {name: given[name] for name in PLAIN if name in given}
    if "notes" in given:
        columns["notes"] = given["notes"] or ""
    if "done" in given:
        columns["done_at"] = (task.done_at or now()) if given["done"] else None
    return columns


async def _link(session: AsyncSession, actor: Actor, task: Task, given: dict[str, Any]) -> None:
    """Set what the task is about. A link that stays is not asked for again: what it leads to may
    be out of the person's sight by now."""
    application_id = given.get("application_id", task.application_id)
    job_id = given.get("job_id", task.job_id)
    if application_id and job_id:
        raise Invalid(TWO_SUBJECTS.message(), code="two_subjects")
    await _require_visible(
        session,
        actor,
        application_id if application_id != task.application_id else None,
        job_id if job_id != task.job_id else None,
    )
    task.application_id, task.job_id = application_id, job_id


async def delete_task(
    session: AsyncSession, actor: Actor, task_id: UUID, *, version: int | None = None
) -> None:
    """Throw one away. Raises NotFound, Conflict."""
    task = await queries.get_to_change(session, actor, task_id)
    require_version(task.version, version, "this task")
    await session.delete(task)
    await session.flush()


async def delete_done(session: AsyncSession, actor: Actor) -> int:
    """Throw away all that is done; how many that were."""
    statement = delete(Task).where(queries.own(actor), Task.done_at.is_not(None))
    return len((await session.scalars(statement.returning(Task.id))).all())
