"""The signed-in person's own things."""

from typing import Annotated

from fastapi import APIRouter

from jobboard.accounts import service
from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor, PersonRead, PersonUpdate
from jobboard.api.deps import (
    LIMIT,
    ActorAloneDep,
    ActorDep,
    Cursor,
    EnginesDep,
    Limit,
    SessionDep,
    acts,
)
from jobboard.applications import service as applications
from jobboard.applications.schemas import ApplicationBrief
from jobboard.pagination import Page

router = APIRouter(prefix="/me", tags=["me"])

ApplicantDep = Annotated[Actor, acts(Right.SEE_APPLICATION)]


@router.get("")
async def get_me(session: SessionDep, actor: ActorDep) -> PersonRead:
    """Who I am."""
    return await service.get(session, actor.id)


@router.patch("")
async def update_me(data: PersonUpdate, engines: EnginesDep, actor: ActorAloneDep) -> PersonRead:
    """Change my name or my password. A new password ends every other log-in."""
    async with engines.database.transaction() as session:
        person = await service.get_account(session, actor.id)
    new_hash = await service.new_password_hash(person, data, engines.settings)
    async with engines.database.transaction() as session:
        return await service.update_me(session, actor, data, new_hash=new_hash)


@router.get("/applications")
async def list_my_applications(
    session: SessionDep, actor: ApplicantDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[ApplicationBrief]:
    """My applications, newest first."""
    return await applications.list_own(session, actor, cursor=cursor, limit=limit)
