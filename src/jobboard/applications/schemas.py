"""Shapes of applications, shared by all doors."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from jobboard.applications.models import Side, Stage
from jobboard.companies.schemas import CompanyBrief
from jobboard.schema import Input, WholeNumber
from jobboard.uploads.schemas import ResumeRead


class ApplicationCreate(Input):
    """What a candidate sends. A letter, a résumé, or both."""

    cover_letter: str = Field("", max_length=20_000)
    resume_id: UUID | None = Field(None, description="From POST /resumes.")

    @model_validator(mode="after")
    def _says_something(self) -> "ApplicationCreate":
        if not self.cover_letter.strip() and self.resume_id is None:
            raise ValueError("Write a few words or add a résumé, so that they can get to know you.")
        return self


BLANKS = ("name", "job", "company")
BLANK = re.compile(r"\{([^{}\s]*)\}")
MESSAGE = (
    "What you write to the candidate with this step: it stands in the mail and in the history. "
    "`{name}`, `{job}` and `{company}` are filled in."
)


def _known_blanks(text: str) -> str:
    for name in BLANK.findall(text):
        if name not in BLANKS:
            known = ", ".join(f"{{{each}}}" for each in BLANKS)
            raise ValueError(f"There is no {{{name}}} to fill in. There are {known}.")
    return text


Message = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=5000),
    AfterValidator(_known_blanks),
]


class ApplicationUpdate(Input):
    """What the company decides. `note` is for its own people only."""

    stage: Stage | None = None
    message: Message | None = Field(None, description=MESSAGE)
    note: str | None = Field(None, min_length=1, max_length=5000)
    version: WholeNumber | None = Field(
        None, description="The `version` that you read; guards races."
    )

    @model_validator(mode="after")
    def _goes_with_a_step(self) -> "ApplicationUpdate":
        if self.message is not None and self.stage is None:
            raise ValueError("A message goes with a step: say the `stage`, too.")
        return self


class JobBrief(BaseModel):
    """The job of an application."""

    id: UUID
    slug: str
    title: str
    company: CompanyBrief


class CandidateBrief(BaseModel):
    """The person of an application."""

    id: UUID
    full_name: str
    email: str


class HistoryEntry(BaseModel):
    """One step: where it led, when, and which side took it."""

    stage: Stage
    at: datetime
    by: Side
    message: str | None = Field(description="What the company wrote with it.")


class NoteRead(BaseModel):
    """What a colleague wrote."""

    model_config = ConfigDict(from_attributes=True)

    by: str
    body: str
    at: datetime


class OwnResume(ResumeRead):
    """A résumé in its owner's list."""

    applications: int = Field(
        description="How many of your applications it went with, without those that you withdrew. "
        "It can be deleted when there is none."
    )


class ApplicationBrief(BaseModel):
    """An application in a list."""

    id: UUID
    job: JobBrief
    candidate: CandidateBrief
    stage: Stage
    resume_id: UUID | None = Field(
        description="For the company null once the application is withdrawn."
    )
    version: int
    created_at: datetime
    updated_at: datetime = Field(description="Of the last step: nothing has moved since.")
    answered_at: datetime | None = Field(
        description="The company's first answer: an invitation, an offer or a no."
    )
    overdue: bool = Field(
        description="Whether it has waited for a first answer for more than two weeks."
    )


class ApplicationRead(ApplicationBrief):
    """An application as its two sides see it; `notes` is null for the candidate."""

    cover_letter: str
    history: list[HistoryEntry]
    notes: list[NoteRead] | None
    next_stages: list[Stage] = Field(description="What the reader can do with it now.")


class Answered(Input):
    """One of the applications that are answered together."""

    id: UUID
    version: WholeNumber | None = Field(
        None, description="The `version` that you read; guards races."
    )


class AnswersCreate(Input):
    """One answer for many applications of a company."""

    applications: list[Answered] = Field(min_length=1, max_length=100)
    stage: Literal["interview", "offer", "hired", "rejected"] = Field(
        description="The step that each of them takes. To have looked is no answer."
    )
    message: Message | None = Field(None, description=MESSAGE)


class AnswerMade(BaseModel):
    """What became of one of them: answered, or why it was not, as an error would say it."""

    id: UUID
    answered: bool
    code: str | None = None
    detail: str | None = None


class AnswersMade(BaseModel):
    """What became of each, in the order in which they were sent."""

    items: list[AnswerMade]
    answered: int = Field(description="How many were.")
