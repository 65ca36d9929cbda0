"""Shapes of to-dos, shared by all doors."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from jobboard.pagination import DEFAULT_LIMIT, YEARS, Limit, fingerprint
from jobboard.schema import Input, NotNull, filled
from jobboard.tasks.models import Priority

WRITTEN = re.compile(r"\d{4}-\d\d-\d\d")
LOST_PLUS = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")
NOT_A_MOMENT = PydanticCustomError(
    "datetime_written", "This must be a date and time such as 2026-05-01T12:00:00Z."
)
FAR_AWAY = PydanticCustomError(
    "moment_far_away",
    "This is too far away: use a year from {first} to {last}.",
    {"first": YEARS[0], "last": YEARS[-1]},
)
TWO_SUBJECTS = PydanticCustomError(
    "two_subjects", "A task is about an application or about a job, not both: leave one out."
)


def _written(value: Any) -> Any:
    """Only what is written as a date: a bare number would be read as seconds since 1970."""
    if isinstance(value, str):
        if not WRITTEN.match(value):
            raise NOT_A_MOMENT
    elif not isinstance(value, datetime):
        raise NOT_A_MOMENT
    return value


def _near(moment: datetime) -> datetime:
    """The moment in UTC, where it is one that PostgreSQL and every client can hold."""
    if moment.year not in YEARS or moment.astimezone(UTC).year not in YEARS:
        raise FAR_AWAY
    return moment.astimezone(UTC)


def _with_plus(value: Any) -> Any:
    """In an address a bare `+` means a space: give `...T12:00:00 02:00` its sign back."""
    return LOST_PLUS.sub(r"\1+\2", value) if isinstance(value, str) else value


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Notes = Annotated[str, Field(max_length=5000)]
Done = Annotated[bool, Strict()]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_near)]
AskedMoment = Annotated[Moment, BeforeValidator(_with_plus)]

DUE = "With its offset from UTC: 2026-05-01T12:00:00+02:00, or Z."
ABOUT_APPLICATION = "The application that this is about; one that you may see."
ABOUT_JOB = "The job that this is about; one that you may see. Not beside `application_id`."
VERSION = "The `version` that you read; a change since is a 409 instead of lost."


class TaskCreate(Input):
    """A new to-do."""

    title: Title = Field(examples=["Call the bakery back"])
    notes: Notes = Field("", examples=["Ask about the early shift."])
    done: Done = False
    due_at: Moment | None = Field(None, description=DUE, examples=["2026-12-01T09:00:00+01:00"])
    priority: Priority = Priority.NORMAL
    application_id: UUID | None = Field(None, description=ABOUT_APPLICATION, examples=[None])
    job_id: UUID | None = Field(None, description=ABOUT_JOB, examples=[None])

    @model_validator(mode="after")
    def _one_subject(self) -> "TaskCreate":
        if self.application_id is not None and self.job_id is not None:
            raise TWO_SUBJECTS
        return self


class TaskReplace(TaskCreate):
    """The whole to-do as it shall be: what is left out goes back to its default."""

    version: int | None = Field(None, description=VERSION)


def _absent() -> Any:
    """Stands in for a field that cannot be null and was not sent; see `model_fields_set`."""
    return None


class TaskUpdate(Input):
    """What changes. Absent keeps; null clears notes, due_at and what it is about."""

    title: Annotated[Title, NotNull] = Field(default_factory=_absent)
    notes: Notes | None = None
    done: Annotated[Done, NotNull] = Field(default_factory=_absent)
    due_at: Moment | None = Field(None, description=DUE)
    priority: Annotated[Priority, NotNull] = Field(default_factory=_absent)
    application_id: UUID | None = Field(None, description=ABOUT_APPLICATION)
    job_id: UUID | None = Field(None, description=ABOUT_JOB)
    version: int | None = Field(None, description=VERSION)


class SubjectKind(StrEnum):
    """What a to-do can be about."""

    APPLICATION = "application"
    JOB = "job"


class Subject(BaseModel):
    """What a to-do is about, as far as its owner may see it now."""

    kind: SubjectKind
    id: UUID
    title: str = Field(description="Of the job, or of the job that was applied to.")
    company: str
    candidate: str | None = Field(description="Who applied; null for a job.")
    path: str = Field(description="Its page.")


class TaskRead(BaseModel):
    """A to-do, as its owner sees it."""

    id: UUID
    title: str
    notes: str
    done: bool
    done_at: datetime | None
    due_at: datetime | None
    priority: Priority
    application_id: UUID | None
    job_id: UUID | None
    about: Subject | None = Field(
        description="The application or job. Null where there is none, or none that you may see."
    )
    version: int
    created_at: datetime
    updated_at: datetime


class TaskSort(StrEnum):
    """Which to-dos come first: those due soonest, those that matter most, or the newest."""

    DUE = "due"
    PRIORITY = "priority"
    NEWEST = "newest"


class TaskSearch(Input):
    """Which to-dos. Empty parameters count as absent, unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore")

    q: str | None = Field(
        None, max_length=200, description="Words, each of them in the title or the notes."
    )
    done: bool | None = Field(None, description="Only what is done, or only what is not.")
    priority: Priority | None = Field(None, description="Only what matters this much.")
    due_before: AskedMoment | None = Field(
        None, description="Leaves out what has no `due_at`. " + DUE
    )
    application_id: UUID | None = Field(None, description="What is about this application.")
    job_id: UUID | None = Field(None, description="What is about this job.")
    sort: TaskSort = Field(
        TaskSort.DUE,
        description="due: soonest first, those without a date last. priority: high first, then "
        "as due. newest: latest made first.",
    )
    cursor: str | None = Field(
        None, max_length=500, description="`next_cursor` of the page before."
    )
    limit: Limit = DEFAULT_LIMIT

    @model_validator(mode="before")
    @classmethod
    def _as_forms_send_it(cls, data: Any) -> Any:
        return filled(data)

    def fingerprint(self) -> str:
        """Twelve characters that a cursor carries: it leads on in this list only. `due_before`
        may move: for one who looks for what is overdue, it is another with every page."""
        return fingerprint(self.model_dump_json(exclude={"cursor", "limit", "due_before"}))
