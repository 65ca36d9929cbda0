"""The verbs of saved searches: save, list, change, delete, look at what one found."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.alerts import index, queries
from jobboard.alerts.addresses import name_of
from jobboard.alerts.models import FoundJob, SavedSearch
from jobboard.alerts.schemas import SavedSearchCreate, SavedSearchRead, SavedSearchUpdate
from jobboard.clock import now
from jobboard.errors import Conflict, require_version
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor

MOST = 50  # of one person


async def save(session: AsyncSession, actor: Actor, data: SavedSearchCreate) -> SavedSearchRead:
    """A search to hear of. Raises Conflict for one that is saved already, or one too many."""
    await _require_room(session, actor)
    filed = await index.file(session, data.search)
    statement = insert(SavedSearch).values(
        person_id=actor.id,
        name=data.name or name_of(data.search),
        criteria=data.search.stored(),
        fingerprint=data.search.fingerprint(),
        **filed._asdict(),
        frequency=data.frequency,
    )
    made = await session.scalar(statement.on_conflict_do_nothing().returning(SavedSearch.id))
    if made is None:
        raise Conflict(
            "You have saved this search already. Change it under your alerts.",
            code="search_saved_already",
        )
    return await queries.get(session, actor, made)


async def _require_room(session: AsyncSession, actor: Actor) -> None:
    """Raise Conflict when one more is too many. One at a time for each person."""
    own_lock = func.hashtextextended(f"saved searches of {actor.id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(own_lock)))
    number = select(func.count()).select_from(SavedSearch).where(queries.own(actor))
    if (await session.scalar(number) or 0) >= MOST:
        raise Conflict(
            f"You have {MOST} saved searches, and more do not fit. Delete one first.",
            code="too_many_saved_searches",
        )


async def list_own(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[SavedSearchRead]:
    """One's saved searches, newest first. Raises Invalid for a wrong cursor."""
    statement = queries.page(actor, before=read_moment_cursor(cursor), limit=limit)
    found, more = cut((await session.execute(statement)).all(), limit)
    last = found[-1] if more else None
    return Page(
        items=[queries.read(row) for row in found],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def change(
    session: AsyncSession, actor: Actor, search_id: UUID, data: SavedSearchUpdate
) -> SavedSearchRead:
    """Change what is given. Raises NotFound, Conflict."""
    saved = await queries.get_to_change(session, actor, search_id)
    require_version(saved.version, data.version, "this saved search")
    given = data.model_fields_set
    if "name" in given:
        saved.name = data.name
    if "frequency" in given:
        saved.frequency = data.frequency
    if "paused" in given and data.paused != (saved.paused_at is not None):
        await _pause(session, saved, paused=data.paused)
    await session.flush()
    return await queries.get(session, actor, search_id)


async def _pause(session: AsyncSession, saved: SavedSearch, *, paused: bool) -> None:
    """What waited to be mailed is not mailed when it goes on: it is old by then."""
    saved.paused_at = now() if paused else None
    if not paused:
        saved.since = now()
        return
    saved.waiting_since = None
    await session.execute(
        update(FoundJob)
        .where(FoundJob.saved_search_id == saved.id, FoundJob.told_at.is_(None))
        .values(told_at=now())
    )


async def delete(
    session: AsyncSession, actor: Actor, search_id: UUID, *, version: int | None = None
) -> None:
    """Hear no more of it. Raises NotFound, Conflict."""
    saved = await queries.get_to_change(session, actor, search_id)
    require_version(saved.version, version, "this saved search")
    await session.delete(saved)
    await session.flush()


async def look(session: AsyncSession, actor: Actor, search_id: UUID) -> str:
    """The page of what it finds; what it found so far is no longer new. Raises NotFound."""
    shown = await queries.get(session, actor, search_id)
    if shown.new_jobs:
        await session.execute(
            update(SavedSearch)
            .where(queries.own(actor), SavedSearch.id == search_id)
            .values(seen_at=now())
            .execution_options(synchronize_session=False)
        )
    return shown.path
