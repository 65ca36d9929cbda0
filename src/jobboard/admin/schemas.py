"""Shapes for moderators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from jobboard.jobs.models import ReportReason
from jobboard.jobs.schemas import JobRead
from jobboard.schema import Input


class Decision(Input):
    """Why a job is rejected or removed. The company reads it."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class PersonModeration(Input):
    """What an admin may change about a person."""

    suspended: bool


class ReasonRead(BaseModel):
    """A reason to look closely, and the text that made it."""

    code: str
    label: str
    match: str | None


class QueueItem(BaseModel):
    """A job to moderate: the job, why to look, and what stands behind it."""

    job: JobRead
    reasons: list[ReasonRead]
    submitted_at: datetime | None
    company_published: int = Field(description="Jobs of this company approved before.")
    open_reports: int


class ReportItem(BaseModel):
    """An open report about a job."""

    id: UUID
    job_id: UUID
    job_title: str
    job_slug: str
    company_name: str
    reason: ReportReason
    note: str
    created_at: datetime
