"""Applications, their history, and the notes that only the company sees."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class Stage(StrEnum):
    """Where an application stands. `applications/lifecycle.py` says how it moves."""

    SUBMITTED = "submitted"
    VIEWED = "viewed"
    INTERVIEW = "interview"
    OFFER = "offer"
    HIRED = "hired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Side(StrEnum):
    """Who took a step: the candidate is told the side, not the colleague's name."""

    CANDIDATE = "candidate"
    COMPANY = "company"


class Application(Base):
    """One candidate, one job, once: the unique key decides double clicks."""

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("job_id", "person_id"),
        Index("ix_applications_person_id_created_at", "person_id", "created_at"),
        Index("ix_applications_job_id_stage", "job_id", "stage"),
        Index(
            "ix_applications_unanswered",
            "job_id",
            "created_at",
            postgresql_where=text("answered_at IS NULL AND stage IN ('submitted', 'viewed')"),
        ),
    )

    id: Mapped[Id]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    stage: Mapped[Stage] = mapped_column(words(Stage), server_default="submitted")
    cover_letter: Mapped[str] = mapped_column(server_default="")
    resume_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("uploads.id", ondelete="SET NULL"), index=True
    )
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]  # of the last step
    answered_at: Mapped[datetime | None]  # the company's first answer: see applications/figures.py

    __mapper_args__ = {"version_id_col": version}


class ApplicationEvent(Base):
    """One step in an application's life. Never changed; the candidate reads it."""

    __tablename__ = "application_events"

    id: Mapped[Id]
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("applications.id", ondelete="CASCADE"), index=True
    )
    stage: Mapped[Stage] = mapped_column(words(Stage))
    side: Mapped[Side] = mapped_column(words(Side))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    message: Mapped[str] = mapped_column(server_default="")  # what the company wrote with it
    at: Mapped[CreatedAt]


class ApplicationNote(Base):
    """What the company's people write to each other about an application."""

    __tablename__ = "application_notes"

    id: Mapped[Id]
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("applications.id", ondelete="CASCADE"), index=True
    )
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class CompanyDigest(Base):
    """A week whose digest was written for a company: `week` is the Monday it was written on. Old
    ones go."""

    __tablename__ = "company_digests"

    company_id: Mapped[UUID] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"), primary_key=True
    )
    week: Mapped[date] = mapped_column(primary_key=True)
