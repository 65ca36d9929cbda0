"""Which saved searches there are: `own` says whose, and nobody sees another's."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.alerts import times
from jobboard.alerts.addresses import page_path
from jobboard.alerts.models import FoundJob, Frequency, SavedSearch
from jobboard.alerts.schemas import SavedCriteria, SavedSearchRead
from jobboard.clock import now
from jobboard.errors import NotFound
from jobboard.jobs.models import Job
from jobboard.jobs.queries import live

COUNT_CAP = 1000


def own(viewer: Actor) -> ColumnElement[bool]:
    """A person's own. An admin sees no more than that either."""
    return SavedSearch.person_id == viewer.id


def _new_jobs() -> ColumnElement[int]:
    some = (
        select(FoundJob.job_id)
        .join(Job, Job.id == FoundJob.job_id)
        .where(
            FoundJob.saved_search_id == SavedSearch.id,
            FoundJob.found_at > SavedSearch.seen_at,
            live(),
        )
        .limit(COUNT_CAP)
        .correlate(SavedSearch)
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


def rows(viewer: Actor) -> Select:
    """Everything that is shown of one's saved searches."""
    return (
        select(
            SavedSearch.id,
            SavedSearch.name,
            SavedSearch.criteria,
            SavedSearch.frequency,
            SavedSearch.told_at,
            SavedSearch.paused_at,
            SavedSearch.version,
            SavedSearch.created_at,
            Person.time_zone,
            _new_jobs().label("new_jobs"),
        )
        .join(Person, Person.id == SavedSearch.person_id)
        .where(own(viewer))
    )


def page(viewer: Actor, *, before: tuple[datetime, UUID] | None, limit: int) -> Select:
    """One's saved searches, newest first, one more than the page."""
    statement = rows(viewer).order_by(SavedSearch.created_at.desc(), SavedSearch.id.desc())
    if before:
        statement = statement.where(
            func.row(SavedSearch.created_at, SavedSearch.id) < func.row(*before)
        )
    return statement.limit(limit + 1)


async def get(session: AsyncSession, viewer: Actor, search_id: UUID) -> SavedSearchRead:
    """One of one's own, or NotFound."""
    row = (await session.execute(rows(viewer).where(SavedSearch.id == search_id))).first()
    if row is None:
        raise _not_found()
    return read(row)


async def get_to_change(session: AsyncSession, viewer: Actor, search_id: UUID) -> SavedSearch:
    """The row of one, or NotFound. Nobody else writes it until the transaction ends."""
    statement = select(SavedSearch).where(own(viewer), SavedSearch.id == search_id)
    found = await session.scalar(statement.with_for_update())
    if found is None:
        raise _not_found()
    return found


def _not_found() -> NotFound:
    return NotFound("There is no such saved search.", code="saved_search_not_found")


def read(row: Row[Any]) -> SavedSearchRead:
    """The shape of a row."""
    criteria = SavedCriteria.kept(row.criteria)
    waits = row.paused_at is None and row.frequency is not Frequency.AT_ONCE
    return SavedSearchRead(
        id=row.id,
        name=row.name,
        search=criteria,
        path=page_path(criteria),
        frequency=row.frequency,
        paused=row.paused_at is not None,
        new_jobs=row.new_jobs,
        told_at=row.told_at,
        next_at=times.next_due(row.frequency, row.time_zone, now()) if waits else None,
        version=row.version,
        created_at=row.created_at,
    )
