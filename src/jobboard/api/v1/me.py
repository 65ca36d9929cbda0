"""The signed-in person's own things."""

from typing import Annotated, Any

from fastapi.responses import StreamingResponse

from jobboard.accounts import addresses, limits, logins, service
from jobboard.accounts.may import Right
from jobboard.accounts.schemas import (
    Accepted,
    Actor,
    EmailChange,
    LoginRead,
    PersonRead,
    PersonUpdate,
)
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import (
    LIMIT,
    ActorAloneDep,
    ActorDep,
    Cursor,
    EnginesDep,
    Limit,
    NewcomerDep,
    PathId,
    SessionDep,
    acts,
)
from jobboard.api.route import Router
from jobboard.applications import service as applications
from jobboard.applications.schemas import ApplicationBrief
from jobboard.errors import RateLimited
from jobboard.infra.rates import LOGIN, limited
from jobboard.notifications import choices
from jobboard.notifications.schemas import MailChoices, MailChoicesUpdate
from jobboard.pagination import Page
from jobboard.privacy import erasure, export
from jobboard.privacy.schemas import Erasure

DAY_SECONDS = 86_400
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "The archive."}
}
router = Router(prefix="/me", tags=["me"])

ApplicantDep = Annotated[Actor, acts(Right.LIST_OWN_APPLICATIONS)]


@router.get("")
async def get_me(session: SessionDep, actor: NewcomerDep) -> PersonRead:
    """Who I am."""
    return await service.get(session, actor.id)


@router.patch("")
async def update_me(
    data: PersonUpdate, engines: EnginesDep, actor: ActorAloneDep, match: IfMatchDep
) -> PersonRead:
    """Change my name or my password. A new password ends every other log-in."""
    if data.new_password is not None:
        await limits.hit_password(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        person = await service.get_account(session, actor.id)
    new_hash = await service.new_password_hash(person, data, engines.settings)
    async with engines.database.transaction() as session:
        match.require(await service.get_to_change(session, actor.id))
        return await service.update_me(session, actor, data, new_hash=new_hash)


@router.delete("", status_code=204)
@limited(LOGIN)
async def erase_me(data: Erasure, engines: EnginesDep, actor: ActorAloneDep) -> None:
    """Erase my account, my files and what I wrote, for good.

    Companies keep a line without a name for each application; jobs stay my company's, and are
    closed where nobody else acts for it. The only owner of a company with colleagues gets a 409.
    """
    await limits.hit_password(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        person = await service.get_account(session, actor.id)
    await service.require_password(person, data.current_password)
    async with engines.database.transaction() as session:
        await erasure.erase(session, actor)


@router.get("/export", response_class=StreamingResponse, responses=ZIP)
async def export_me(engines: EnginesDep, actor: ActorAloneDep) -> StreamingResponse:
    """All that is kept about me, as one zip: JSON, my files, and a README that explains them."""
    await limits.hit_export(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        found = await export.gather(session, actor)
    pieces = export.archive(found, engines.storage, engines.mongo)
    return StreamingResponse(pieces, media_type="application/zip", headers=export.HEADERS)


@router.get("/applications")
async def list_my_applications(
    session: SessionDep, actor: ApplicantDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[ApplicationBrief]:
    """My applications, newest first."""
    return await applications.list_own(session, actor, cursor=cursor, limit=limit)


@router.post("/verify-email", status_code=202)
async def ask_for_verification_mail(
    session: SessionDep, engines: EnginesDep, actor: ActorDep
) -> Accepted:
    """Mail me the link once more that confirms my address. At most five a day."""
    if not await limits.may_mail(engines.limiter, "verify", actor.email):
        raise RateLimited(
            "That is enough mail for one day. Is it in your spam folder?", retry_after=DAY_SECONDS
        )
    addresses.ask_to_verify(session, actor)
    return Accepted(detail="A mail is on its way, unless your address is confirmed already.")


@router.post("/email", status_code=202)
@limited(LOGIN)
async def ask_for_email_change(
    data: EmailChange, engines: EnginesDep, actor: ActorAloneDep
) -> Accepted:
    """Move my account to another address. Nothing changes before the link mailed there is used."""
    await limits.hit_password(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        person = await service.get_account(session, actor.id)
    await service.require_password(person, data.current_password)
    if await limits.may_mail(engines.limiter, "change", data.email):
        async with engines.database.transaction() as session:
            addresses.ask_to_change(session, actor, data.email)
    return Accepted(detail="A mail is on its way to the new address. Open the link in it.")


@router.get("/mail")
async def get_my_mail_choices(session: SessionDep, actor: ActorDep) -> MailChoices:
    """Which mail I get."""
    return await choices.read(session, actor.id)


@router.patch("/mail")
async def update_my_mail_choices(
    data: MailChoicesUpdate, session: SessionDep, actor: ActorDep, match: IfMatchDep
) -> MailChoices:
    """Choose which mail I get. The same as the links to unsubscribe in the mails."""
    match.require(await choices.read(session, actor.id))
    return await choices.update(session, actor.id, data)


@router.get("/sessions")
async def list_my_logins(
    session: SessionDep, actor: NewcomerDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[LoginRead]:
    """Where I am logged in, newest first."""
    return await logins.list_logins(session, actor, cursor=cursor, limit=limit)


@router.delete("/sessions", status_code=204)
async def end_my_other_logins(session: SessionDep, actor: NewcomerDep) -> None:
    """Log me out everywhere else."""
    await logins.end_logins(session, actor.id, but=actor.login_session_id)


@router.delete("/sessions/{id}", status_code=204)
async def end_my_login(login_id: PathId, session: SessionDep, actor: NewcomerDep) -> None:
    """Log me out there. Its tokens and cookie die at once."""
    await logins.end_own(session, actor, login_id)
