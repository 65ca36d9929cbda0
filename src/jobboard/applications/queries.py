"""Which applications there are, and who may see which."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.applications.lifecycle import OVERDUE_AFTER, WAITING
from jobboard.applications.models import (
    Application,
    ApplicationEvent,
    ApplicationNote,
    Stage,
)
from jobboard.applications.schemas import (
    ApplicationBrief,
    CandidateBrief,
    HistoryEntry,
    JobBrief,
    NoteRead,
)
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.companies.queries import acted_for
from jobboard.companies.schemas import CompanyBrief
from jobboard.errors import NotFound
from jobboard.jobs.models import Job


def visible_to(viewer: Actor) -> ColumnElement[bool]:
    """The candidate, and the people of the job's company; admins for complaints."""
    if viewer.is_admin:
        return true()
    return or_(Application.person_id == viewer.id, acted_for(viewer, Job.company_id))


def resume_visible_to(viewer: Actor) -> ColumnElement[bool]:
    """Of the applications that someone sees, those whose résumé they read, too: not the company of
    one that was withdrawn."""
    if viewer.is_admin:
        return true()
    return or_(Application.person_id == viewer.id, Application.stage != Stage.WITHDRAWN)


def is_overdue() -> ColumnElement[bool]:
    """Whether an application has waited too long for a first answer."""
    return and_(
        Application.answered_at.is_(None),
        Application.stage.in_(sorted(WAITING)),
        Application.created_at < now() - OVERDUE_AFTER,
    )


def rows(viewer: Actor) -> Select:
    """Everything of a list row, as (Application, Job's, Company's and Person's columns)."""
    return (
        select(
            Application.id,
            Application.stage,
            case((resume_visible_to(viewer), Application.resume_id)).label("resume_id"),
            Application.version,
            Application.created_at,
            Application.updated_at,
            Application.answered_at,
            is_overdue().label("overdue"),
            Job.id.label("job_id"),
            Job.slug.label("job_slug"),
            Job.title.label("job_title"),
            Company.id.label("company_id"),
            Company.name.label("company_name"),
            Company.slug.label("company_slug"),
            Company.logo_key,
            Person.id.label("person_id"),
            Person.full_name,
            Person.email,
        )
        .join(Job, Job.id == Application.job_id)
        .join(Company, Company.id == Job.company_id)
        .join(Person, Person.id == Application.person_id)
        .where(visible_to(viewer))
    )


def page(
    viewer: Actor,
    *where: ColumnElement[bool],
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> Select:
    """Newest first, one row more than the page."""
    statement = (
        rows(viewer)
        .where(*where)
        .order_by(Application.created_at.desc(), Application.id.desc())
        .limit(limit + 1)
    )
    if before:
        statement = statement.where(
            func.row(Application.created_at, Application.id) < func.row(*before)
        )
    return statement


def board(viewer: Actor, job_id: UUID, *, each: int) -> Select[Any]:
    """The newest `each` applications of every stage of a job."""
    place = func.row_number().over(
        partition_by=Application.stage,
        order_by=(Application.created_at.desc(), Application.id.desc()),
    )
    ranked = (
        select(Application.id, place.label("place")).where(Application.job_id == job_id).subquery()
    )
    return (
        rows(viewer)
        .join(ranked, ranked.c.id == Application.id)
        .where(ranked.c.place <= each)
        .order_by(Application.created_at.desc(), Application.id.desc())
    )


def brief(row: Row[Any]) -> ApplicationBrief:
    """A list row in its shape."""
    company = CompanyBrief(
        id=row.company_id, name=row.company_name, slug=row.company_slug, logo_key=row.logo_key
    )
    return ApplicationBrief(
        id=row.id,
        job=JobBrief(id=row.job_id, slug=row.job_slug, title=row.job_title, company=company),
        candidate=CandidateBrief(id=row.person_id, full_name=row.full_name, email=row.email),
        stage=row.stage,
        resume_id=row.resume_id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        answered_at=row.answered_at,
        overdue=row.overdue,
    )


async def get(
    session: AsyncSession, viewer: Actor, application_id: UUID
) -> tuple[Application, Job]:
    """An application that `viewer` may see, with its job, or NotFound."""
    row = (
        await session.execute(
            select(Application, Job)
            .join(Job, Job.id == Application.job_id)
            .where(Application.id == application_id, visible_to(viewer))
        )
    ).first()
    if row is None:
        raise NotFound("There is no such application.", code="application_not_found")
    return row[0], row[1]


async def history(session: AsyncSession, application_id: UUID) -> list[HistoryEntry]:
    """Every step, oldest first."""
    events = await session.execute(
        select(
            ApplicationEvent.stage,
            ApplicationEvent.at,
            ApplicationEvent.side,
            ApplicationEvent.message,
        )
        .where(ApplicationEvent.application_id == application_id)
        .order_by(ApplicationEvent.at, ApplicationEvent.id)
    )
    return [
        HistoryEntry(stage=stage, at=at, by=side, message=message or None)
        for stage, at, side, message in events
    ]


async def notes(session: AsyncSession, application_id: UUID) -> list[NoteRead]:
    """What the company's people wrote, oldest first."""
    found = await session.execute(
        select(Person.full_name, ApplicationNote.body, ApplicationNote.created_at)
        .outerjoin(Person, Person.id == ApplicationNote.person_id)
        .where(ApplicationNote.application_id == application_id)
        .order_by(ApplicationNote.created_at, ApplicationNote.id)
    )
    nobody = "the company"  # a program of theirs, or someone whose account is gone
    return [NoteRead(by=name or nobody, body=body, at=at) for name, body, at in found]


async def count_by_stage(session: AsyncSession, job_id: UUID) -> dict[Stage, int]:
    """How many applications of a job stand where."""
    counts = await session.execute(
        select(Application.stage, func.count())
        .where(Application.job_id == job_id)
        .group_by(Application.stage)
    )
    return dict(counts.all())


async def count_by_job(session: AsyncSession, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many applications each of these jobs has."""
    counts = await session.execute(
        select(Application.job_id, func.count())
        .where(Application.job_id.in_(job_ids))
        .group_by(Application.job_id)
    )
    return dict(counts.all())


async def count_overdue(session: AsyncSession, company_id: UUID) -> int:
    """How many there are."""
    number = select(func.count()).select_from(Application).join(Job, Job.id == Application.job_id)
    return await session.scalar(number.where(Job.company_id == company_id, is_overdue())) or 0


async def of_person(session: AsyncSession, person_id: UUID, job_id: UUID) -> Application | None:
    """This person's application to this job, if there is one."""
    return await session.scalar(
        select(Application).where(Application.person_id == person_id, Application.job_id == job_id)
    )


async def resume_visible(session: AsyncSession, viewer: Actor, resume_id: UUID) -> bool:
    """Whether a résumé came with an application of which `viewer` may read it."""
    found = await session.scalar(
        select(Application.id)
        .join(Job, Job.id == Application.job_id)
        .where(Application.resume_id == resume_id, visible_to(viewer), resume_visible_to(viewer))
        .limit(1)
    )
    return found is not None
