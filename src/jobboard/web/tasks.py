"""A person's to-dos: the list, one of them to change, and the forms that make them elsewhere."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.errors import Conflict, Invalid
from jobboard.schema import Input, filled
from jobboard.tasks import queries, service
from jobboard.tasks.models import Priority
from jobboard.tasks.schemas import (
    TaskCreate,
    TaskRead,
    TaskSearch,
    TaskSort,
    TaskUpdate,
)
from jobboard.web.deps import ActorDep, FormDep, SessionDep, local_path, redirect
from jobboard.web.desk import href, outcome
from jobboard.web.formatting import options, plural
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(prefix="/me/tasks", include_in_schema=False)

PAGE = 25
HERE = "/me/tasks"
LABELS = {
    "title": "What",
    "notes": "Notes",
    "due_at": "Due",
    "in_days": "When",
    "priority": "Priority",
}
DAYS = [
    ("1", "Tomorrow"),
    ("3", "In 3 days"),
    ("7", "In a week"),
    ("14", "In two weeks"),
    ("30", "In a month"),
]
PRIORITIES = options(Priority)
# The links of a task come in hidden fields: what is wrong with them stands at the top.
HIDDEN = {"application_id": "", "job_id": "", "version": ""}
# What a browser sends of a date and time, and what our script adds of the person's zone.
NAIVE = re.compile(r"\d{4,}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?")
OFFSET = re.compile(r"[+-]\d\d:\d\d")


class Show(StrEnum):
    """The parts of the list."""

    OPEN = "open"
    DONE = "done"
    ALL = "all"


class Due(StrEnum):
    """When what one looks for is due."""

    OVERDUE = "overdue"
    WEEK = "week"


DONE = {Show.OPEN: False, Show.DONE: True, Show.ALL: None}
BEFORE = {Due.OVERDUE: timedelta(), Due.WEEK: timedelta(days=7)}


class Asked(Input):
    """What the address asks for. Empty parameters, as forms send them, count as absent."""

    model_config = ConfigDict(extra="ignore")

    show: Show = Show.OPEN
    q: str | None = Field(None, max_length=200)
    priority: Priority | None = None
    due: Due | None = None
    sort: TaskSort = TaskSort.DUE
    cursor: str | None = Field(None, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _as_forms_send_it(cls, data: Any) -> Any:
        return filled(data)

    @property
    def narrowed(self) -> bool:
        """Whether only some tasks of this part are asked for."""
        return bool(self.q or self.priority or self.due)

    def search(self) -> TaskSearch:
        """The same as the core understands it."""
        return TaskSearch(
            q=self.q,
            done=DONE[self.show],
            priority=self.priority,
            due_before=now() + BEFORE[self.due] if self.due else None,
            sort=self.sort,
            cursor=self.cursor,
            limit=PAGE,
        )

    def href(self, **change: Any) -> str:
        """The address of this list, of its first page unless `cursor` is given."""
        given = self.model_dump(exclude={"cursor"}, exclude_defaults=True)
        return href(HERE, **given | change)


async def about(
    session: AsyncSession,
    actor: Actor,
    *,
    application_id: UUID | None = None,
    job_id: UUID | None = None,
) -> list[TaskRead]:
    """One's own open tasks about an application or a job, due soonest first."""
    search = TaskSearch(done=False, application_id=application_id, job_id=job_id, limit=PAGE)
    return (await service.list_tasks(session, actor, search)).items


@router.get("")
async def list_tasks(
    request: Request, session: SessionDep, actor: ActorDep, asked: Annotated[Asked, Query()]
) -> Response:
    """One's own, due soonest first, with a line on top to add one."""
    page = await service.list_tasks(session, actor, asked.search())
    still, done = await queries.count(session, actor)
    return render(
        request,
        "tasks/list.html",
        private=True,
        tasks=page.items,
        asked=asked,
        counts={Show.OPEN: still, Show.DONE: done, Show.ALL: still + done},
        tabs={show: asked.href(show=show) for show in Show},
        back=asked.href(cursor=asked.cursor),
        first_href=asked.href() if asked.cursor else None,
        next_href=asked.href(cursor=page.next_cursor) if page.next_cursor else None,
        form=Form.of({"priority": Priority.NORMAL}),
        days=DAYS,
        priorities=PRIORITIES,
    )


@router.post("")
async def create_task(
    request: Request, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """Add one, from the list or from the page of what it is about."""
    title = ""
    async with form.attempt(session, HIDDEN):
        title = (await _create(session, actor, form)).title
    if form.refused:
        return render(
            request,
            "tasks/new.html",
            status=form.status,
            private=True,
            form=form,
            back=local_path(form.value("back"), HERE),
            labels=LABELS,
            days=DAYS,
            priorities=PRIORITIES,
        )
    back = local_path(form.value("back"), HERE)
    return redirect(request, back, f"“{title}” is on your list of tasks.")


async def _create(session: AsyncSession, actor: Actor, form: Form) -> TaskRead:
    return await service.create(session, actor, form.parse(TaskCreate, due_at=_in_days(form)))


def _in_days(form: Form) -> datetime | None:
    """When it is due, by days from now: that needs no time zone. Raises Invalid."""
    days = form.value("in_days")
    if not days:
        return None
    if days not in dict(DAYS):
        raise Invalid.field("in_days", "Choose one of these.")
    return now().replace(second=0, microsecond=0) + timedelta(days=int(days))


@router.post("/delete-done")
async def delete_done(
    request: Request, session: SessionDep, actor: ActorDep, _form: FormDep
) -> Response:
    """Throw away all that is done."""
    number = await service.delete_done(session, actor)
    return redirect(request, HERE, f"{plural(number, 'task is', 'tasks are')} deleted.")


@router.get("/{task_id}")
async def show_task(
    request: Request, task_id: UUID, session: SessionDep, actor: ActorDep
) -> Response:
    """One of them, to change."""
    task = await queries.get(session, actor, task_id)
    values = {
        "title": task.title,
        "notes": task.notes,
        "priority": task.priority,
        "due_at": f"{task.due_at:%Y-%m-%dT%H:%M}" if task.due_at else None,
    }
    return _page(request, task, Form.of(values))


def _page(request: Request, task: TaskRead, form: Form) -> Response:
    # Saving on after a conflict keeps what was typed: it needs the new version. After any other
    # refusal the version that was read must stay the guard.
    read = task.version if form.status in {200, 409} else form.value("version")
    return render(
        request,
        "tasks/page.html",
        status=form.status,
        private=True,
        task=task,
        version=read,
        form=form,
        labels=LABELS,
        priorities=PRIORITIES,
    )


@router.post("/{task_id}")
async def change_task(
    request: Request, task_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """Save the form."""
    async with form.attempt(session, HIDDEN):
        before = await queries.get(session, actor, task_id)
        try:
            await service.change(session, actor, task_id, _update(form, before))
        except Conflict:
            raise Conflict(
                f"This task was changed in another window: it is “{before.title}” now. "
                "Save once more to keep what stands here."
            ) from None
    task = await queries.get(session, actor, task_id)
    if form.refused:
        return _page(request, task, form)
    return redirect(request, HERE, f"“{task.title}” is saved.")


def _update(form: Form, before: TaskRead) -> TaskUpdate:
    """What was typed. A date that nobody touched keeps its seconds."""
    known: dict[str, Any] = {"due_at": _due(form, before)}
    if form.chosen("forget", "yes"):
        known |= {"application_id": None, "job_id": None}
    return form.parse(TaskUpdate, **known)


def _due(form: Form, before: TaskRead) -> datetime | str | None:
    """The date of the form with its zone: the person's own where a script told us, else UTC."""
    typed = form.value("due_at").strip()
    if not typed:
        return None
    if not NAIVE.fullmatch(typed):
        return typed
    offset = form.value("offset")
    typed += offset if OFFSET.fullmatch(offset) else "+00:00"
    if before.due_at and _same_minute(typed, before.due_at):
        return before.due_at
    return typed


def _same_minute(typed: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(typed) == moment.replace(second=0, microsecond=0)
    except ValueError:
        return False


@router.post("/{task_id}/done")
async def finish_task(
    request: Request, task_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """Mark it as done, or as open again: one press."""
    done = form.value("done") == "yes"
    task = await service.change(session, actor, task_id, TaskUpdate(done=done))
    text = "is done. You find it under Done." if done else "is open again."
    return redirect(request, local_path(form.value("back"), HERE), f"“{task.title}” {text}")


@router.post("/{task_id}/delete")
async def delete_task(
    request: Request, task_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """Throw it away."""
    task = await queries.get(session, actor, task_id)
    await service.delete_task(session, actor, task_id)
    back = local_path(form.value("back"), HERE)
    return outcome(request, form, back, f"“{task.title}” is deleted.")
