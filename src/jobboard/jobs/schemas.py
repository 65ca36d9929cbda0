"""Shapes of jobs, shared by all doors. Money is in minor units of its currency."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    computed_field,
    model_validator,
)

from jobboard.companies.schemas import CompanyBrief, CompanyFacts, WebLink
from jobboard.infra.currencies import currency_code
from jobboard.jobs.models import (
    EmploymentType,
    Experience,
    Job,
    JobStatus,
    PayPeriod,
    ReportReason,
    Workplace,
)
from jobboard.schema import WHOLE, Input, NotNull, WholeNumber, absent

MAX_PAY = 10**13  # minor units; far above any honest figure
MAX_TAGS = 20

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Markdown = Annotated[str, Field(max_length=50_000, description="Markdown.")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Tag = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50, to_lower=True)
]
Tags = Annotated[
    list[Tag], Field(max_length=MAX_TAGS), AfterValidator(lambda t: list(dict.fromkeys(t)))
]
Currency = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, min_length=3, max_length=3),
    AfterValidator(currency_code),
]
Pay = Annotated[int, Field(ge=0, le=MAX_PAY)]
PayInJson = Annotated[int, Field(strict=True, ge=0, le=MAX_PAY), WHOLE]


class SalaryInput(Input):
    """Pay as offered. At least one end of the range."""

    min: PayInJson | None = Field(None, description="In minor units: 5000000 is 50,000.00.")
    max: PayInJson | None = Field(None, description="In minor units.")
    currency: Currency = Field(examples=["EUR"], description="ISO 4217.")
    period: PayPeriod = PayPeriod.YEAR

    @model_validator(mode="after")
    def _a_range(self) -> "SalaryInput":
        if self.min is None and self.max is None:
            raise ValueError("Give the lower or the upper end of the pay, or leave the pay out.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("The lower end of the pay is above the upper end.")
        return self


class JobFacts(Input):
    """What an employer may say about a job, or leave out."""

    location: Line | None = Field(None, examples=["Hamburg, Germany"])
    remote: Workplace | None = None
    employment_type: EmploymentType | None = None
    experience: Experience | None = None
    salary: SalaryInput | None = None
    apply_url: WebLink | None = Field(
        None, description="Where to apply elsewhere. Without it people apply here."
    )


class JobCreate(JobFacts):
    """A new job, a draft at first."""

    company_id: UUID
    title: Title = Field(examples=["Baker, early shift"])
    description: Markdown = Field("", examples=["You bake **bread** and rolls."])
    tags: Tags = Field(default_factory=list, examples=[["baking", "shift work"]])


class JobUpdate(JobFacts):
    """What changes. Absent keeps, null clears."""

    title: Annotated[Title, NotNull] = Field(default_factory=absent)
    description: Markdown | None = None
    tags: Tags | None = None
    version: WholeNumber | None = Field(
        None,
        description="The `version` that you read. If someone else changed the job since, "
        "you get a 409 instead of overwriting their work.",
    )


class InEuros(BaseModel):
    """Pay for a year in euro cents, by which jobs in different currencies are compared. It stays as
    it was fixed when the job was posted, or when its pay was last changed."""

    min: int | None
    max: int | None
    rate_date: date | None = Field(
        description="Of the exchange rate that it was reckoned with; null for pay in euros.",
        examples=["2026-10-30"],
    )
    rate_source: str | None = Field(
        description="Who told that rate.", examples=["European Central Bank"]
    )


class Salary(BaseModel):
    """Pay, as offered and for a year of full-time work, in minor units of `currency`."""

    min: int | None
    max: int | None
    currency: str | None
    period: PayPeriod | None
    yearly_min: int | None
    yearly_max: int | None
    in_euros: InEuros | None = Field(
        description="Null where the currency or the period is not known, or no exchange rate."
    )


class JobRead(BaseModel):
    """A job as everybody who may see it sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    title: str
    company: CompanyFacts
    location: str | None
    city: str | None
    region: str | None
    country: str | None
    remote: Workplace | None
    employment_type: EmploymentType | None
    experience: Experience | None
    salary: Salary | None
    salary_text: str | None
    tags: list[str]
    description: str
    description_html: str
    status: JobStatus
    status_reason: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    expires_at: datetime | None
    apply_url: str | None
    featured_until: datetime | None = Field(description="Its company pays for it to stand first.")

    @computed_field
    @property
    def path(self) -> str:
        """The job's page."""
        return f"/jobs/{self.slug}"


class Match(BaseModel):
    """Where a word stands in a text, in Unicode characters: from `start` up to, without, `end`."""

    start: int
    end: int


class JobCard(BaseModel):
    """A job in a list: everything but its text."""

    id: UUID
    slug: str
    title: str
    company: CompanyBrief
    location: str | None
    city: str | None
    region: str | None
    country: str | None
    remote: Workplace | None
    employment_type: EmploymentType | None
    experience: Experience | None
    salary: Salary | None
    salary_text: str | None
    tags: list[str]
    excerpt: str = Field(
        description="Plain text: with `q` the passage of the description where its words stand, "
        "if they do, else how the description begins."
    )
    excerpt_matches: list[Match] = Field(
        default_factory=list,
        description="Where in `excerpt` the words of `q` stand, in order.",
        examples=[[{"start": 4, "end": 8}]],
    )
    status: JobStatus
    published_at: datetime | None
    expires_at: datetime | None
    apply_url: str | None
    featured: bool = Field(description="Whether its company pays for it to stand first.")


class JobRow(BaseModel):
    """A job in the list of those who posted it."""

    id: UUID
    slug: str
    title: str
    location: str | None
    city: str | None
    region: str | None
    country: str | None
    remote: Workplace | None
    status: JobStatus
    status_reason: str | None
    updated_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    expires_at: datetime | None
    featured_until: datetime | None


MAX_DAYS = 90


class FeatureCreate(Input):
    """For how many days a job shall stand among the first. After what is paid for already."""

    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS), WHOLE] = Field(examples=[7])


class FeatureRead(BaseModel):
    """What was paid for."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    job_id: UUID
    transfer_id: UUID
    days: int
    amount: int = Field(description="In minor units of `currency`.")
    currency: str
    starts_at: datetime
    ends_at: datetime


class ReportCreate(Input):
    """What is wrong with a job."""

    reason: ReportReason
    note: str = Field("", max_length=2000)


class ReportRead(BaseModel):
    """A report, for those who decide."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    job_id: UUID
    reason: ReportReason
    note: str
    created_at: datetime


def salary_of(row: Any) -> Salary | None:
    """The pay of a job or of a row with its columns, or None when no figure was read."""
    if row.salary_min is None and row.salary_max is None:
        return None
    return Salary(
        min=row.salary_min,
        max=row.salary_max,
        currency=row.currency,
        period=row.salary_period,
        yearly_min=row.yearly_min,
        yearly_max=row.yearly_max,
        in_euros=_in_euros(row),
    )


def _in_euros(row: Any) -> InEuros | None:
    if row.euros_min is None and row.euros_max is None:
        return None
    return InEuros(
        min=row.euros_min,
        max=row.euros_max,
        rate_date=row.rate_date,
        rate_source=row.rate_source,
    )


def read(job: Job, company: CompanyFacts) -> JobRead:
    """The shape of one job."""
    values = {name: getattr(job, name) for name in JobRead.model_fields if name not in _MADE}
    return JobRead(**values, company=company, salary=salary_of(job))


_MADE = {"company", "salary"}
