"""Jobs, what happened to each, and what people reported."""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    event,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column, object_session
from sqlalchemy.types import Text, TypeEngine

from jobboard.infra import freshness
from jobboard.infra.postgres import Base, CreatedAt, Id, words
from jobboard.infra.rings import MODERATION, ring_for


class JobStatus(StrEnum):
    """Where a job stands in its life. `jobs/lifecycle.py` says how it moves."""

    DRAFT = "draft"
    PENDING = "pending"
    PUBLISHED = "published"
    REJECTED = "rejected"
    CLOSED = "closed"
    EXPIRED = "expired"
    REMOVED = "removed"


# Pages that stay, the last two with a notice.
PUBLIC = frozenset({JobStatus.PUBLISHED, JobStatus.CLOSED, JobStatus.EXPIRED})


class Workplace(StrEnum):
    """Where the work is done. The API calls it `remote`."""

    ONSITE = "onsite"
    HYBRID = "hybrid"
    REMOTE = "remote"


class EmploymentType(StrEnum):
    """The kind of contract."""

    FULL_TIME = "full_time"
    PART_TIME = "part_time"
    CONTRACT = "contract"
    TEMPORARY = "temporary"
    INTERNSHIP = "internship"
    VOLUNTEER = "volunteer"
    OTHER = "other"


class Experience(StrEnum):
    """How far along the person is that the job looks for."""

    ENTRY = "entry"
    JUNIOR = "junior"
    MID = "mid"
    SENIOR = "senior"
    LEAD = "lead"
    EXECUTIVE = "executive"


class PayPeriod(StrEnum):
    """What a salary figure is for."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class ReportReason(StrEnum):
    """Why a reader thinks that a moderator should look."""

    SCAM = "scam"
    EXPIRED = "expired"
    WRONG = "wrong"
    OFFENSIVE = "offensive"
    DUPLICATE = "duplicate"
    OTHER = "other"


def _fixed(kind: type[TypeEngine[Any]]) -> MappedColumn[Any]:
    """A column that a trigger fills (`jobboard_fix_pay`, a migration)."""
    return mapped_column(kind, server_default=FetchedValue(), server_onupdate=FetchedValue())


class Job(Base):
    """A posting. Money is in minor units; `yearly_*` are the same pay for a year, to compare, and
    `euros_*` that in euro cents by the rate of `rate_date`, which `rate_source` told: as it was
    when the job was posted, or when its pay was written. None where nobody knew a rate, and no
    rate where none was needed.

    What is searched of the published ones is in `live_jobs` (jobs/live.py)."""

    __tablename__ = "jobs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["company_id", "company_name"],
            ["companies.id", "companies.name"],
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        UniqueConstraint("source", "external_id"),
        CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("salary_min <= salary_max", name="salary_order"),
        CheckConstraint("salary_min >= 0 AND salary_max >= 0", name="salary_sign"),
        CheckConstraint("char_length(currency) = 3", name="currency_length"),
        CheckConstraint("char_length(country) = 2", name="country_length"),
        CheckConstraint(
            "status <> 'published' OR (published_at IS NOT NULL AND expires_at IS NOT NULL)",
            name="published_has_dates",
        ),
        Index("ix_jobs_company_id_status", "company_id", "status"),
        Index("ix_jobs_pending", "submitted_at", "id", postgresql_where=text("status = 'pending'")),
        Index("ix_jobs_expiring", "expires_at", postgresql_where=text("status = 'published'")),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    company_id: Mapped[UUID]
    company_name: Mapped[str]  # copied, so that one index finds both; the foreign key keeps it true
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(server_default=text("1"))

    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    description_html: Mapped[str] = mapped_column(server_default="")
    description_text: Mapped[str] = mapped_column(server_default="")
    location: Mapped[str | None]
    city: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None]
    # All of them (`points.written`); city, region and country are those of the first.
    places: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    remote: Mapped[Workplace | None] = mapped_column(words(Workplace))
    employment_type: Mapped[EmploymentType | None] = mapped_column(words(EmploymentType))
    experience: Mapped[Experience | None] = mapped_column(words(Experience))
    salary_text: Mapped[str | None]
    salary_min: Mapped[int | None] = mapped_column(BigInteger)
    salary_max: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    salary_period: Mapped[PayPeriod | None] = mapped_column(words(PayPeriod))
    yearly_min: Mapped[int | None] = mapped_column(BigInteger)
    yearly_max: Mapped[int | None] = mapped_column(BigInteger)
    euros_min: Mapped[int | None] = _fixed(BigInteger)
    euros_max: Mapped[int | None] = _fixed(BigInteger)
    rate_date: Mapped[date | None] = _fixed(Date)
    rate_source: Mapped[str | None] = _fixed(Text)
    language: Mapped[str | None]  # ISO 639-1, or "und"; one that nobody has looked at is English
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    apply_url: Mapped[str | None]

    status: Mapped[JobStatus] = mapped_column(words(JobStatus), server_default="draft")
    status_reason: Mapped[str | None]  # a moderator's words on a rejection or removal
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]  # of the text as it stands; an edit that matters clears it
    published_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    featured_until: Mapped[datetime | None]  # paid for: see JobFeature, which has the payments

    source: Mapped[str | None]
    external_id: Mapped[str | None]
    content_hash: Mapped[bytes | None]

    # What the trigger makes of an UPDATE comes back with it.
    __mapper_args__ = {"version_id_col": version, "eager_defaults": True}


def page_tag(slug: str) -> str:
    """The tag of what is kept of one job, by its slug."""
    return f"job:{slug}"


def _outdated(job: Job) -> Iterator[str]:
    """What is and was out of sight is on no page; where it is not known what it was, it was."""
    status = inspect(job).attrs.status.history
    unknown = bool(status.added) and not status.deleted
    if unknown or not PUBLIC.isdisjoint(status.sum()):
        yield freshness.JOBS
        yield page_tag(job.slug)


def _ring_moderators(_mapper: object, _connection: object, job: Job) -> None:
    """Their queue has become longer or shorter."""
    status = inspect(job).attrs.status.history
    moved = {*(status.added or ()), *(status.deleted or ())}
    session = object_session(job)
    if session is not None and JobStatus.PENDING in moved:
        ring_for(session, MODERATION)


freshness.follow(Job, _outdated)
event.listen(Job, "after_update", _ring_moderators)


class JobEvent(Base):
    """One step in a job's life: who took it, when, and why. Never changed."""

    __tablename__ = "job_events"

    id: Mapped[Id]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    step: Mapped[str]
    status: Mapped[JobStatus] = mapped_column(words(JobStatus))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    reason: Mapped[str | None]
    at: Mapped[CreatedAt]


class JobFeature(Base):
    """Days that a company paid for, in which a job stands among the first. `daily` is what a day
    cost, in minor units; what a moderator's removal left over came back by `refund_id`."""

    __tablename__ = "job_features"
    __table_args__ = (
        CheckConstraint("days > 0 AND daily > 0", name="paid_for"),
        CheckConstraint("starts_at < ends_at", name="time_order"),
    )

    id: Mapped[Id]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"), unique=True)
    days: Mapped[int]
    daily: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("transfers.id"), unique=True)
    created_at: Mapped[CreatedAt]


class JobReport(Base):
    """A reader's word that something is wrong with a job. Open until a moderator decides."""

    __tablename__ = "job_reports"
    __table_args__ = (
        Index("ix_job_reports_open", "created_at", postgresql_where=text("resolved_at IS NULL")),
        Index(
            "uq_job_reports_one_each",
            "job_id",
            "person_id",
            unique=True,
            postgresql_where=text("resolved_at IS NULL AND person_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    reason: Mapped[ReportReason] = mapped_column(words(ReportReason))
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
