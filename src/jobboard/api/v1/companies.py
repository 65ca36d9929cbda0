"""Companies, their logos and their people."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import (
    LIMIT,
    Cursor,
    EnginesDep,
    Limit,
    PathId,
    SessionDep,
    Words,
    acts,
    acts_alone,
)
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.api.v1.images import PictureFile
from jobboard.companies import queries, service
from jobboard.companies.schemas import (
    CompanyCreate,
    CompanyRead,
    CompanyUpdate,
    MemberAdd,
    MemberRead,
)
from jobboard.infra.rates import UPLOADS, limited
from jobboard.pagination import Page
from jobboard.uploads import service as uploads

router = Router(prefix="/companies", tags=["companies"])
mine = Router(prefix="/me/companies", tags=["companies"])

MemberDep = Annotated[Actor, acts(Right.SEE_COMPANY)]
ManagerDep = Annotated[Actor, acts(Right.MANAGE_COMPANY)]
ManagerAloneDep = Annotated[Actor, acts_alone(Right.MANAGE_COMPANY)]


@router.get("")
async def list_companies(
    session: SessionDep, q: Words = None, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[CompanyRead]:
    """Every company by name."""
    return await service.list_companies(session, q=q, cursor=cursor, limit=limit)


@mine.get("")
async def list_own_companies(
    session: SessionDep,
    actor: MemberDep,
    q: Words = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[CompanyRead]:
    """The companies that you act for, by name.

    An API key acts for its own.
    """
    return await service.list_companies(session, actor, q=q, cursor=cursor, limit=limit)


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
async def create_company(
    data: CompanyCreate, session: SessionDep, actor: ManagerDep
) -> CompanyRead:
    """Make a company; you own it."""
    return CompanyRead.model_validate(await service.create(session, actor, data))


@router.get("/{id}")
async def get_company(company_id: PathId, session: SessionDep) -> CompanyRead:
    """One company."""
    return await _read(session, company_id)


async def _read(session: AsyncSession, company_id: UUID) -> CompanyRead:
    return CompanyRead.model_validate(await queries.get(session, company_id))


@router.patch("/{id}")
async def update_company(
    company_id: PathId,
    data: CompanyUpdate,
    session: SessionDep,
    actor: ManagerDep,
    match: IfMatchDep,
) -> CompanyRead:
    """Change what you send: absent keeps, null clears. For owners."""
    data.version = await match.version(lambda: _read(session, company_id), data.version)
    return CompanyRead.model_validate(await service.change(session, actor, company_id, data))


@router.put("/{id}/logo")
@limited(UPLOADS)
async def put_logo(
    company_id: PathId, file: PictureFile, actor: ManagerAloneDep, engines: EnginesDep
) -> CompanyRead:
    """Show this picture as the company's logo. For owners.

    It is kept as every picture is: small, upright, without its metadata. See POST /images.
    """
    settings = engines.settings
    async with engines.database.transaction() as session:
        await service.require_manager(session, actor, company_id)
    picture = await uploads.read_picture(engines.pictures, settings, await file.read())
    async with engines.database.transaction() as session:
        company = await service.show_logo(
            session,
            engines.storage,
            settings,
            actor,
            company_id,
            picture,
            filename=file.filename,
        )
        return CompanyRead.model_validate(company)


@router.get("/{id}/members")
async def list_members(
    company_id: PathId, session: SessionDep, actor: MemberDep
) -> Page[MemberRead]:
    """The people who act for the company, for themselves."""
    return Page(items=await service.list_members(session, actor, company_id))


@router.post("/{id}/members", status_code=201, dependencies=[IDEMPOTENT])
async def add_member(
    company_id: PathId,
    data: MemberAdd,
    session: SessionDep,
    engines: EnginesDep,
    actor: ManagerDep,
) -> MemberRead:
    """Invite a colleague to act for the company, or change what a member is for it.

    Who acts for it already has their new role, or limit, at once. Anyone else gets a letter with a
    link, once and for seven days, and acts for it when they have accepted, with an employer's
    account of that address. Until then the answer and the list of members call them `invited`,
    and the same is said of every address, with or without an account.
    """
    return await service.add_member(session, engines.limiter, actor, company_id, data)


@router.delete("/{id}/members/{person_id}", status_code=204)
async def remove_member(
    company_id: PathId,
    person_id: Annotated[UUID, Path(description="As GET /companies/{id}/members gives it.")],
    session: SessionDep,
    actor: ManagerDep,
) -> None:
    """Let someone go, or leave yourself. One owner stays."""
    await service.remove_member(session, actor, company_id, person_id)
