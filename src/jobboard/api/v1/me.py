"""The signed-in person's own things."""

from fastapi import APIRouter

from jobboard.accounts import service
from jobboard.accounts.schemas import PersonRead, PersonUpdate
from jobboard.api.deps import LIMIT, ActorDep, Cursor, Limit, SessionDep, SettingsDep
from jobboard.applications import service as applications
from jobboard.applications.schemas import ApplicationBrief
from jobboard.pagination import Page

router = APIRouter(prefix="/me", tags=["me"])


@router.get("")
async def get_me(session: SessionDep, actor: ActorDep) -> PersonRead:
    """Who I am."""
    return await service.get(session, actor.id)


@router.patch("")
async def update_me(
    data: PersonUpdate, session: SessionDep, actor: ActorDep, settings: SettingsDep
) -> PersonRead:
    """Change my name or my password. A new password ends every other log-in."""
    return await service.update_me(session, actor, data, settings)


@router.get("/applications")
async def list_my_applications(
    session: SessionDep, actor: ActorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[ApplicationBrief]:
    """My applications, newest first."""
    return await applications.list_own(session, actor, cursor=cursor, limit=limit)
