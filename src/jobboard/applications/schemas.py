"""Shapes of applications, shared by all doors."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


class ApplicationUpdate(Input):
    """What the company decides. `note` is for its own people only."""

    stage: Stage | None = None
    note: str | None = Field(None, min_length=1, max_length=5000)
    version: WholeNumber | None = Field(
        None, description="The `version` that you read; guards races."
    )


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
    updated_at: datetime


class ApplicationRead(ApplicationBrief):
    """An application as its two sides see it; `notes` is null for the candidate."""

    cover_letter: str
    history: list[HistoryEntry]
    notes: list[NoteRead] | None
    next_stages: list[Stage] = Field(description="What the reader can do with it now.")
