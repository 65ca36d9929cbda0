"""What the three log-ins of the demo board mean to do, some of it about the stories."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.demo import people
from jobboard.demo.stories import Story
from jobboard.tasks.models import Priority, Task


@dataclass(frozen=True, slots=True)
class Todo:
    """A task. `about` names whose application it is, where and to which job, as in the stories."""

    owner: str
    title: str
    due_in: int | None = None  # days from the first start; below 0 it is overdue
    priority: Priority = Priority.NORMAL
    notes: str = ""
    done: bool = False
    about: tuple[str, str, int] | None = None


NINE = timedelta(hours=9)  # of the day, UTC
WRITTEN = timedelta(days=10)  # ago
TODOS = (
    Todo(
        people.CANDIDATE,
        "Answer the offer",
        2,
        Priority.HIGH,
        "Ask before:\n- notice period\n- who pays for the first-aid course",
        about=(people.CANDIDATE, "others", 0),
    ),
    Todo(
        people.CANDIDATE,
        "Prepare for the interview",
        4,
        notes="Read their last three posts, and the bus timetable.",
        about=(people.CANDIDATE, "own", 0),
    ),
    Todo(people.CANDIDATE, "Ask whether they have read it", -1, about=(people.CANDIDATE, "own", 2)),
    Todo(people.CANDIDATE, "Have the certificate translated", priority=Priority.LOW),
    Todo(people.CANDIDATE, "Ask two former colleagues for references", -6, done=True),
    Todo(
        people.EMPLOYER,
        "Call Ilse van Tongeren back about the offer",
        1,
        Priority.HIGH,
        about=("ilse.vantongeren@example.org", "own", 0),
    ),
    Todo(
        people.EMPLOYER,
        "Read what Jonah Mbeki wrote",
        -1,
        about=("jonah.mbeki@example.org", "own", 0),
    ),
    Todo(people.EMPLOYER, "Agree on a day for trial shifts with the team", 5),
    Todo(people.EMPLOYER, "A new photo for the company page", priority=Priority.LOW),
    Todo(people.EMPLOYER, "Tell the front desk who starts on the 1st", -3, done=True),
    Todo(people.ADMIN, "Write down when we send a job back", 7),
)


async def todos(
    session: AsyncSession, ids: dict[str, UUID], applications: dict[Story, UUID]
) -> None:
    """Write the tasks, unless they are there. One whose story was not told is about nothing."""
    if await session.scalar(select(exists().where(Task.person_id == ids[people.CANDIDATE]))):
        return
    told = {(story.candidate, story.where, story.job): i for story, i in applications.items()}
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [_row(todo, ids, told, midnight) for todo in TODOS]
    await session.execute(insert(Task), rows)


def _row(
    todo: Todo, ids: dict[str, UUID], told: dict[tuple[str, str, int], UUID], midnight: datetime
) -> dict[str, object]:
    due = None if todo.due_in is None else midnight + timedelta(days=todo.due_in) + NINE
    written = midnight - WRITTEN + NINE
    return {
        "person_id": ids[todo.owner],
        "title": todo.title,
        "notes": todo.notes,
        "priority": todo.priority,
        "due_at": due,
        "done_at": due if todo.done else None,
        "application_id": told.get(todo.about) if todo.about else None,
        "created_at": written,
        "updated_at": due if todo.done else written,
    }
