"""Shapes of to-dos, shared by all doors."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from jobboard.clock import AskedMoment, Moment
from jobboard.pagination import DEFAULT_LIMIT, Limit, fingerprint
from jobboard.schema import Input, NotNull, WholeNumber, absent, filled
from jobboard.tasks.models import Priority

TWO_SUBJECTS = PydanticCustomError(
    "two_subjects", "A task is about an application or about a job, not both: leave one out."
)


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Notes = Annotated[str, Field(max_length=5000)]

DUE = "With its offset from UTC: 2026-05-01T12:00:00+02:00, or Z."
ABOUT_APPLICATION = "The application that this is about; one that you may see."
ABOUT_JOB = "The job that this is about; one that you may see. Not beside `application_id`."
VERSION = "The `version` that you read; a change since is a 409 instead of lost."


class TaskCreate(Input):
    """A new to-do."""

    title: Title = Field(examples=["Call the bakery back"])
    notes: Notes = Field("", examples=["Ask about the early shift."])
    done: StrictBool = False
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

    version: WholeNumber | None = Field(None, description=VERSION)


class TaskUpdate(Input):
    """What changes. Absent keeps; null clears notes, due_at and what it is about."""

    title: Annotated[Title, NotNull] = Field(default_factory=absent)
    notes: Notes | None = None
    done: Annotated[StrictBool, NotNull] = Field(default_factory=absent)
    due_at: Moment | None = Field(None, description=DUE)
    priority: Annotated[Priority, NotNull] = Field(default_factory=absent)
    application_id: UUID | None = Field(None, description=ABOUT_APPLICATION)
    job_id: UUID | None = Field(None, description=ABOUT_JOB)
    version: WholeNumber | None = Field(None, description=VERSION)


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
    """Which to-dos. Empty parameters count as absent."""

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
