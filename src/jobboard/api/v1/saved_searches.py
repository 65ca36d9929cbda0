"""Saved searches of the signed-in person: which new jobs to hear of, and how often."""

from jobboard.alerts import queries, service
from jobboard.alerts.schemas import SavedSearchCreate, SavedSearchRead, SavedSearchUpdate
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import LIMIT, ActorDep, Cursor, Limit, PathId, SessionDep
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.pagination import Page

router = Router(prefix="/saved-searches", tags=["alerts"])


@router.get("")
async def list_saved_searches(
    session: SessionDep, actor: ActorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[SavedSearchRead]:
    """My saved searches, newest first."""
    return await service.list_own(session, actor, cursor=cursor, limit=limit)


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
async def save_search(
    data: SavedSearchCreate, session: SessionDep, actor: ActorDep
) -> SavedSearchRead:
    """Save a search, and be mailed the new jobs that it finds.

    New is what comes to the board from now on; nobody hears of the same job twice for the same
    search. Each person has room for fifty.
    """
    return await service.save(session, actor, data)


@router.get("/{id}")
async def get_saved_search(
    search_id: PathId, session: SessionDep, actor: ActorDep
) -> SavedSearchRead:
    """One of my saved searches."""
    return await queries.get(session, actor, search_id)


@router.patch("/{id}")
async def update_saved_search(
    search_id: PathId,
    data: SavedSearchUpdate,
    session: SessionDep,
    actor: ActorDep,
    match: IfMatchDep,
) -> SavedSearchRead:
    """Rename it, hear of it more or less often, pause it or let it go on."""
    data.version = await match.version(lambda: queries.get(session, actor, search_id), data.version)
    return await service.change(session, actor, search_id, data)


@router.delete("/{id}", status_code=204)
async def delete_saved_search(
    search_id: PathId, session: SessionDep, actor: ActorDep, match: IfMatchDep
) -> None:
    """Hear no more of it."""
    version = await match.version(lambda: queries.get(session, actor, search_id))
    await service.delete(session, actor, search_id, version=version)
