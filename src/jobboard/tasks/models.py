"""To-dos: each is one person's own, and may be about one application or one job."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class Priority(StrEnum):
    """How much it matters."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Task(Base):
    """A to-do. It is open as long as `done_at` is null."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("num_nonnulls(application_id, job_id) <= 1", name="one_subject"),
        # A person has `service.MOST` at most: they are found by this and sorted in memory.
        Index("ix_tasks_person_id", "person_id"),
        # For the deletes that set them to null; most tasks are about nothing.
        Index(
            "ix_tasks_application_id",
            "application_id",
            postgresql_where=text("application_id IS NOT NULL"),
        ),
        Index("ix_tasks_job_id", "job_id", postgresql_where=text("job_id IS NOT NULL")),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    title: Mapped[str]
    notes: Mapped[str] = mapped_column(server_default="")
    priority: Mapped[Priority] = mapped_column(words(Priority), server_default="normal")
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    application_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("applications.id", ondelete="SET NULL")
    )
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]

    __mapper_args__ = {"version_id_col": version}
