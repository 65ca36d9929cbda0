"""Which to-dos there are: `own` says whose, and nobody sees another's."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, Who, may
from jobboard.accounts.models import Person
from jobboard.accounts.queries import escape_like
from jobboard.accounts.schemas import Actor
from jobboard.applications import queries as applications
from jobboard.applications.models import Application
from jobboard.companies.models import CompanyMember
from jobboard.errors import NotFound
from jobboard.jobs import queries as jobs
from jobboard.jobs.models import Job
from jobboard.pagination import decode_cursor, encode_cursor, read_id, read_moment, wrong_cursor
from jobboard.tasks.models import Priority, Task
from jobboard.tasks.schemas import Subject, SubjectKind, TaskRead, TaskSearch, TaskSort

NEVER = literal_column("'infinity'::timestamptz")  # when what has no date is due
RANKS = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
RANK = case(*((Task.priority == each, rank) for rank, each in enumerate(RANKS)))
DUE = func.coalesce(Task.due_at, NEVER)
ORDERS: dict[TaskSort, tuple[Any, ...]] = {
    TaskSort.DUE: (DUE, Task.id),
    TaskSort.PRIORITY: (RANK, DUE, Task.id),
    TaskSort.NEWEST: (Task.created_at, Task.id),
}
PLAIN = (
    Task.id,
    Task.title,
    Task.notes,
    Task.done_at,
    Task.due_at,
    Task.priority,
    Task.application_id,
    Task.job_id,
    Task.version,
    Task.created_at,
    Task.updated_at,
)


class Mark(NamedTuple):
    """The last task of a page by what it is sorted by; `moment` None is no date."""

    rank: int
    moment: datetime | None
    id: UUID


def own(viewer: Actor) -> ColumnElement[bool]:
    """A person's own tasks. An admin sees no more than that either."""
    return Task.person_id == viewer.id


def rows(viewer: Actor) -> Select:
    """Everything of a task, and of what it is about as far as `viewer` may see that now."""
    applied = _applications(viewer)
    return (
        select(
            *PLAIN,
            RANK.label("rank"),
            applied.c.title.label("applied_title"),
            applied.c.company_name.label("applied_company"),
            applied.c.full_name.label("candidate"),
            (applied.c.person_id == viewer.id).label("applied_self"),
            Job.title.label("job_title"),
            Job.company_name.label("job_company"),
            Job.slug.label("job_slug"),
            Job.company_id.in_(_companies(viewer)).label("job_theirs"),
        )
        .outerjoin(applied, applied.c.id == Task.application_id)
        .outerjoin(Job, and_(Job.id == Task.job_id, _job_seen(viewer)))
        .where(own(viewer))
    )


def _applications(viewer: Actor) -> Subquery:
    """The applications that `viewer` may see, with who applied to what."""
    return (
        select(Application.id, Application.person_id, Job.title, Job.company_name, Person.full_name)
        .join(Job, Job.id == Application.job_id)
        .join(Person, Person.id == Application.person_id)
        .where(_application_seen(viewer))
        .subquery("applied")
    )


def _application_seen(viewer: Actor) -> ColumnElement[bool]:
    """As far as the token goes, too: one that is for tasks alone shows no applicant."""
    seen = may(viewer, Right.SEE_APPLICATION, Who.SELF)
    return applications.visible_to(viewer) if seen else false()


def _job_seen(viewer: Actor) -> ColumnElement[bool]:
    """The same; what is public needs no scope."""
    return jobs.visible_to(viewer if may(viewer, Right.SEE_JOB, Who.MEMBER) else None)


def _companies(viewer: Actor) -> Select[Any]:
    return select(CompanyMember.company_id).where(CompanyMember.person_id == viewer.id)


def read(row: Row[Any]) -> TaskRead:
    """The shape of one row of `rows`."""
    values = {column.key: getattr(row, column.key) for column in PLAIN}
    return TaskRead(**values, done=row.done_at is not None, about=_subject(row))


def _subject(row: Row[Any]) -> Subject | None:
    if row.applied_title is not None:
        desk = "me" if row.applied_self else "employer"
        return Subject(
            kind=SubjectKind.APPLICATION,
            id=row.application_id,
            title=row.applied_title,
            company=row.applied_company,
            candidate=row.candidate,
            path=f"/{desk}/applications/{row.application_id}",
        )
    if row.job_title is not None:
        return Subject(
            kind=SubjectKind.JOB,
            id=row.job_id,
            title=row.job_title,
            company=row.job_company,
            candidate=None,
            path=f"/employer/jobs/{row.job_id}" if row.job_theirs else f"/jobs/{row.job_slug}",
        )
    return None


async def get(session: AsyncSession, viewer: Actor, task_id: UUID) -> TaskRead:
    """One of one's own, or NotFound."""
    row = (await session.execute(rows(viewer).where(Task.id == task_id))).first()
    if row is None:
        raise not_found()
    return read(row)


def not_found() -> NotFound:
    """The error for one that is not there, or another's: nobody can tell which."""
    return NotFound("There is no such task of yours.", code="task_not_found")


async def get_to_change(session: AsyncSession, actor: Actor, task_id: UUID) -> Task:
    """The same to write to: whoever comes second waits, and then finds it as it is."""
    task = await session.scalar(
        select(Task).where(Task.id == task_id, own(actor)).with_for_update()
    )
    if task is None:
        raise not_found()
    return task


async def count(session: AsyncSession, viewer: Actor) -> tuple[int, int]:
    """How many of one's own are open, and how many are done."""
    statement = select(
        func.count().filter(Task.done_at.is_(None)), func.count().filter(Task.done_at.is_not(None))
    ).where(own(viewer))
    still, done = (await session.execute(statement)).one()
    return still, done


def page(viewer: Actor, search: TaskSearch) -> Select:
    """What is asked for, one more than the page. Raises Invalid for a wrong cursor.

    The page is cut before anything is joined to it: only its own rows are looked up elsewhere.
    """
    columns = ORDERS[search.sort]
    newest = search.sort is TaskSort.NEWEST
    order = [column.desc() if newest else column for column in columns]
    found = select(Task.id).where(own(viewer), *_wanted(search), *_after(search))
    cut = found.order_by(*order).limit(search.limit + 1)
    return rows(viewer).where(Task.id.in_(cut)).order_by(*order)


def _after(search: TaskSearch) -> Iterator[ColumnElement[bool]]:
    """What comes after the cursor, where there is one."""
    mark = read_cursor(search)
    if mark is None:
        return
    columns = ORDERS[search.sort]
    moment = NEVER if mark.moment is None else literal(mark.moment)
    last = tuple_(*(literal(mark.rank), moment, literal(mark.id))[-len(columns) :])
    here = tuple_(*columns)
    yield here < last if search.sort is TaskSort.NEWEST else here > last


def _wanted(search: TaskSearch) -> Iterator[ColumnElement[bool]]:
    for word in (search.q or "").split():
        pattern = f"%{escape_like(word)}%"
        yield or_(Task.title.ilike(pattern, escape="\\"), Task.notes.ilike(pattern, escape="\\"))
    if search.done is not None:
        yield Task.done_at.is_not(None) if search.done else Task.done_at.is_(None)
    if search.priority is not None:
        yield Task.priority == search.priority
    if search.due_before is not None:
        yield Task.due_at < search.due_before
    if search.application_id is not None:
        yield Task.application_id == search.application_id
    if search.job_id is not None:
        yield Task.job_id == search.job_id


def write_cursor(search: TaskSearch, last: Row[Any]) -> str:
    """The cursor of the page that ends with this row."""
    moment = last.created_at if search.sort is TaskSort.NEWEST else last.due_at
    written = moment.isoformat() if moment else ""
    return encode_cursor(search.fingerprint(), last.rank, written, str(last.id))


def read_cursor(search: TaskSearch) -> Mark | None:
    """Where the page begins; None on the first. Raises Invalid unless this list wrote it."""
    if search.cursor is None:
        return None
    asked, rank, written, task_id = decode_cursor(search.cursor, str, int, str, str)
    dated = bool(written) or search.sort is TaskSort.NEWEST
    if asked != search.fingerprint() or rank not in range(len(RANKS)):
        raise wrong_cursor()
    return Mark(rank, read_moment(written) if dated else None, read_id(task_id))


async def visible_application(session: AsyncSession, viewer: Actor, application_id: UUID) -> bool:
    """Whether there is such an application for `viewer`. It then stays until the transaction
    ends, so that a link to it can be written."""
    statement = (
        select(Application.id)
        .join(Job, Job.id == Application.job_id)
        .where(Application.id == application_id, _application_seen(viewer))
        .with_for_update(read=True, key_share=True, of=Application)
    )
    return await session.scalar(statement) is not None


async def visible_job(session: AsyncSession, viewer: Actor, job_id: UUID) -> bool:
    """The same for a job."""
    statement = (
        select(Job.id)
        .where(Job.id == job_id, _job_seen(viewer))
        .with_for_update(read=True, key_share=True)
    )
    return await session.scalar(statement) is not None
