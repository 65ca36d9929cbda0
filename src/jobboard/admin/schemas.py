"""Shapes for moderators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from jobboard.accounts.schemas import PersonRead
from jobboard.companies.models import MemberRole
from jobboard.jobs.models import JobStatus, ReportReason
from jobboard.jobs.schemas import JobRead
from jobboard.schema import Input


class Decision(Input):
    """Why a job is rejected or removed. The company reads it."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class PersonModeration(Input):
    """What an admin may change about a person."""

    suspended: StrictBool
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = Field(
        None, description="Why, for the moderators who look later. The person does not see it."
    )
    remove_jobs: StrictBool = Field(
        False,
        description="Also take down the jobs of companies that nobody else acts for. "
        "Without it they stay, and nobody reads the applications.",
    )


class CompanyPlace(BaseModel):
    """A company that someone acts for."""

    id: UUID
    name: str
    slug: str
    role: MemberRole
    live_jobs: int
    alone: bool = Field(description="Nobody else, who is not suspended, acts for it.")


class PersonOverview(PersonRead):
    """A person, and what they have done here."""

    suspended_at: datetime | None
    suspension_reason: str | None
    last_seen_at: datetime | None
    companies: list[CompanyPlace]
    jobs: dict[JobStatus, int] = Field(description="Jobs that they wrote, by where they stand.")
    applications: int
    reports: int = Field(description="Reports that they sent in.")


class RenamedCompany(BaseModel):
    """A company on the board whose new name no moderator has seen yet."""

    id: UUID
    name: str
    slug: str
    former_name: str
    renamed_at: datetime
    live_jobs: int


class NameSeen(Input):
    """The name that the moderator saw."""

    name: str = Field(max_length=200)


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
