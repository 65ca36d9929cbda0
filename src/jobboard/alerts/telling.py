"""Mails people what their saved searches found: one mail for all of a person's that are due.

Due is said by the clock where the person lives, when it is asked: whoever moves, or changes how
often they want to hear, needs nothing to be reckoned anew. What a board that was off missed is due
once. The marks that a job was told of are written in the transaction that queues the mail.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person
from jobboard.alerts import times
from jobboard.alerts.addresses import page_path
from jobboard.alerts.models import FoundJob, Frequency, SavedSearch
from jobboard.alerts.schemas import SavedCriteria
from jobboard.clock import now
from jobboard.jobs.models import Job
from jobboard.jobs.queries import live
from jobboard.notifications.service import notify

KIND = "job_alert"
PEOPLE = 500  # in one look, and in one message
SPACING = timedelta(minutes=10)  # between two mails at once of one search
JOBS_OF_ONE = 10  # jobs of one search in a mail; the rest is a number and a link
JOBS = 30  # of all searches


async def due(session: AsyncSession, *, verified: bool) -> list[UUID]:
    """People to write to now, those first who wait longest. With `verified`, only those who have
    shown that their address is theirs."""
    zones = await session.scalars(
        select(Person.time_zone)
        .distinct()
        .join(SavedSearch, SavedSearch.person_id == Person.id)
        .where(SavedSearch.waiting_since.is_not(None))
    )
    if not (known := zones.all()):
        return []
    statement = (
        select(SavedSearch.person_id)
        .join(Person, Person.id == SavedSearch.person_id)
        .where(_is_due(known), Person.suspended_at.is_(None))
        .group_by(SavedSearch.person_id)
        .order_by(func.min(SavedSearch.waiting_since))
        .limit(PEOPLE)
    )
    if verified:
        statement = statement.where(Person.email_verified_at.is_not(None))
    return list(await session.scalars(statement))


def _is_due(zones: Iterable[str | None]) -> ColumnElement[bool]:
    """Of a saved search whose person is joined. In each zone there was a last morning, and a last
    one of a Monday: who has waited since before it is due."""
    every, moment = list(zones), now()
    since, told = SavedSearch.waiting_since, SavedSearch.told_at
    zone = func.coalesce(Person.time_zone, "")
    mornings = {
        frequency: case(
            {each or "": times.last_due(frequency, each, moment) for each in every}, value=zone
        )
        for frequency in (Frequency.DAILY, Frequency.WEEKLY)
    }
    spaced = or_(told.is_(None), told <= moment - SPACING)
    return and_(
        since.is_not(None),
        SavedSearch.paused_at.is_(None),
        or_(
            and_(SavedSearch.frequency == Frequency.AT_ONCE, spaced),
            *(and_(SavedSearch.frequency == each, since < last) for each, last in mornings.items()),
        ),
    )


async def tell(session: AsyncSession, person_id: UUID) -> bool:
    """Queue one mail about all that is due to a person; False where there was nothing to do, or
    another worker does it."""
    zone = await session.scalar(select(Person.time_zone).where(Person.id == person_id))
    found = await session.scalars(
        select(SavedSearch)
        .join(Person, Person.id == SavedSearch.person_id)
        .where(SavedSearch.person_id == person_id, _is_due([zone]))
        .order_by(SavedSearch.created_at, SavedSearch.id)
        .with_for_update(of=SavedSearch, skip_locked=True)
    )
    searches = found.all()
    if not searches:
        return False
    ids = [saved.id for saved in searches]
    await _drop(session, ids)
    told = await _gather(session, searches)
    await _mark(session, ids, told)
    if told:
        total = sum(len(each["jobs"]) + each["more"] for each in told.values())
        notify(session, person_id, KIND, {"searches": list(told.values()), "total": total})
    return True


async def _gather(
    session: AsyncSession, searches: Iterable[SavedSearch]
) -> dict[UUID, dict[str, Any]]:
    """What stands in the mail, by search. A job that several of them found stands under the
    first."""
    told: dict[UUID, dict[str, Any]] = {}
    seen: set[UUID] = set()
    for saved in searches:
        left = JOBS - sum(len(each["jobs"]) for each in told.values())
        rows = (await session.execute(_found(saved.id, seen, min(left, JOBS_OF_ONE)))).all()
        number = await session.scalar(_number(saved.id, seen)) or 0
        if not number:
            continue
        told[saved.id] = {
            "name": saved.name,
            "path": page_path(SavedCriteria.kept(saved.criteria)),
            "jobs": [_job(row) for row in rows],
            "more": number - len(rows),
        }
        seen |= {row.id for row in rows}
    return told


def _untold(search_id: UUID, seen: set[UUID]) -> tuple[ColumnElement[bool], ...]:
    """Those that are not live are not worth a mail."""
    return (
        FoundJob.saved_search_id == search_id,
        FoundJob.told_at.is_(None),
        FoundJob.job_id.not_in(seen),
        live(),
    )


def _found(search_id: UUID, seen: set[UUID], limit: int) -> Select:
    return (
        select(Job.id, Job.slug, Job.title, Job.company_name, Job.location, Job.remote)
        .join(FoundJob, FoundJob.job_id == Job.id)
        .where(*_untold(search_id, seen))
        .order_by(Job.published_at.desc(), Job.id.desc())
        .limit(limit)
    )


def _number(search_id: UUID, seen: set[UUID]) -> Select:
    return (
        select(func.count())
        .select_from(FoundJob)
        .join(Job, Job.id == FoundJob.job_id)
        .where(*_untold(search_id, seen))
    )


def _job(row: Row[Any]) -> dict[str, Any]:
    place = row.location or (row.remote.value.capitalize() if row.remote else "")
    return {
        "title": row.title,
        "path": f"/jobs/{row.slug}",
        "about": ", ".join(part for part in (row.company_name, place) if part),
    }


async def _drop(session: AsyncSession, search_ids: list[UUID]) -> None:
    """Forget what is not live and nobody heard of: if it comes back, it is found as if new. Before
    the mail is gathered, so that nothing that stands in it is forgotten."""
    await session.execute(
        delete(FoundJob)
        .where(
            FoundJob.saved_search_id.in_(search_ids),
            FoundJob.told_at.is_(None),
            ~exists().where(Job.id == FoundJob.job_id, live()),
        )
        .execution_options(synchronize_session=False)
    )


async def _mark(session: AsyncSession, search_ids: list[UUID], told: Collection[UUID]) -> None:
    """None of these waits any more; `told` are those that stand in the mail."""
    moment = now()
    await session.execute(
        update(FoundJob)
        .where(FoundJob.saved_search_id.in_(search_ids), FoundJob.told_at.is_(None))
        .values(told_at=moment)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(SavedSearch)
        .where(SavedSearch.id.in_(search_ids))
        .values(
            waiting_since=None,
            told_at=case((SavedSearch.id.in_(told), moment), else_=SavedSearch.told_at),
        )
        .execution_options(synchronize_session=False)
    )
