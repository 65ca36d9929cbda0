"""What endpoints ask for: a transaction, the person who asks, the engines, the page wanted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Security
from fastapi.params import Security as SecurityParam
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import queries, tokens
from jobboard.accounts.may import MAY, Right
from jobboard.accounts.schemas import Actor
from jobboard.accounts.scopes import MEANINGS, of_role
from jobboard.analytics.events import Events
from jobboard.analytics.visitors import Visitor, visitor_of
from jobboard.companies import keys
from jobboard.errors import InsufficientScope, Unauthenticated
from jobboard.infra.engines import Engines
from jobboard.pagination import DEFAULT_LIMIT
from jobboard.settings import Settings

bearer = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token",
    refreshUrl="/api/v1/auth/token",
    scopes={str(scope): meaning for scope, meaning in MEANINGS.items()},
    auto_error=False,
)


async def get_engines(request: Request) -> Engines:
    """The clients that the lifespan made."""
    return request.app.state.engines


EnginesDep = Annotated[Engines, Depends(get_engines)]


async def get_settings(request: Request) -> Settings:
    """The settings of this process."""
    return request.app.state.engines.settings


SettingsDep = Annotated[Settings, Depends(get_settings)]


async def transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """One transaction for the request, committed before the answer leaves."""
    engines: Engines = request.app.state.engines
    async with engines.database.transaction() as session:
        yield session


# Scope "function": with the default, the commit would come after the response.
SessionDep = Annotated[AsyncSession, Depends(transaction, scope="function")]


# Tells the schema that the endpoint takes a token.
TakesTokenDep = Annotated[str | None, Depends(bearer)]


async def get_viewer(request: Request, session: SessionDep, settings: SettingsDep) -> Actor | None:
    """Who asks, or None without a token. A bad token is refused, not ignored.

    The token is no dependency here: FastAPI would look for its owner anew for each set of scopes
    that the endpoint and its `IDEMPOTENT` ask for.
    """
    token = await bearer(request)
    if token is None:
        return None
    if keys.is_key(token):
        return await _get_key(request, token)
    secret = settings.secret_key.get_secret_value()
    claims = tokens.read_access_token(token, secret, issuer=settings.base_url)
    actor = await queries.actor_of_login(
        session, claims.person_id, claims.login_session_id, settings
    )
    if actor is None:
        raise Unauthenticated("This log-in has ended. Log in again.", code="login_ended")
    request.state.person_id = str(actor.id)
    return replace(actor, scopes=claims.scopes & of_role(actor.role))


async def _get_key(request: Request, token: str) -> Actor:
    """Whom a key acts for. In a transaction of its own: that a key was used is noted even where
    the request is refused, and nobody waits for the note until the request is done."""
    engines: Engines = request.app.state.engines
    async with engines.database.transaction() as session:
        actor = await keys.actor_of(session, token)
    request.state.key_id = str(actor.id)
    return actor


KnownDep = Annotated[Actor | None, Depends(get_viewer)]


async def get_scoped_viewer(
    viewer: KnownDep, needed: SecurityScopes, _token: TakesTokenDep
) -> Actor | None:
    """Who asks, if anyone. Raises InsufficientScope for a token that was not made for this, and
    Forbidden for an admin who must set up two-step log-in before anything else."""
    if viewer is not None:
        queries.require_enrolled(viewer)
        _require_scopes(viewer, needed)
    return viewer


def _require_scopes(viewer: Actor, needed: SecurityScopes) -> None:
    for scope in needed.scopes:
        if scope not in viewer.scopes:
            raise InsufficientScope(scope)


async def get_actor(viewer: Annotated[Actor | None, Security(get_scoped_viewer)]) -> Actor:
    """The same, for what needs someone. Raises Unauthenticated without a token."""
    if viewer is None:
        raise Unauthenticated("Send an access token: Authorization: Bearer ...")
    return viewer


def acts(right: Right) -> SecurityParam:
    """Who uses this right: `actor: Annotated[Actor, acts(Right.WRITE_JOB)]`.

    Asks for the scope and says so in the schema; whether they may is asked where the thing is.
    """
    return Security(get_actor, scopes=[str(MAY[right].scope)])


def sees(right: Right) -> SecurityParam:
    """Who looks at what is public in part: `Annotated[Actor | None, sees(Right.SEE_JOB)]`."""
    return Security(get_scoped_viewer, scopes=[str(MAY[right].scope)])


# A person with all their rights: of what has no right of its own in the table.
ActorDep = Annotated[Actor, acts(Right.USE_ACCOUNT)]
ViewerDep = Annotated[Actor | None, sees(Right.USE_ACCOUNT)]


async def get_newcomer(viewer: KnownDep, needed: SecurityScopes, _token: TakesTokenDep) -> Actor:
    """Who asks, even an admin who has yet to set up two-step log-in."""
    actor = await get_actor(viewer)
    _require_scopes(actor, needed)
    return actor


NewcomerDep = Annotated[Actor, Security(get_newcomer, scopes=[str(MAY[Right.USE_ACCOUNT].scope)])]


async def get_actor_alone(
    request: Request,
    engines: EnginesDep,
    token: TakesTokenDep,
    needed: SecurityScopes,
) -> Actor:
    """The same in a transaction of its own: what waits for a password must hold none."""
    async with engines.database.transaction() as session:
        viewer = await get_viewer(request, session, engines.settings)
        return await get_actor(await get_scoped_viewer(viewer, needed, token))


def acts_alone(right: Right) -> SecurityParam:
    """`acts` for what must hold no transaction while it waits."""
    return Security(get_actor_alone, scopes=[str(MAY[right].scope)])


ActorAloneDep = Annotated[Actor, acts_alone(Right.USE_ACCOUNT)]


async def get_newcomer_alone(
    request: Request,
    engines: EnginesDep,
    token: TakesTokenDep,
    needed: SecurityScopes,
) -> Actor:
    """The same for an admin who has yet to set up two-step log-in."""
    async with engines.database.transaction() as session:
        viewer = await get_viewer(request, session, engines.settings)
        return await get_newcomer(viewer, needed, token)


NewcomerAloneDep = Annotated[
    Actor, Security(get_newcomer_alone, scopes=[str(MAY[Right.USE_ACCOUNT].scope)])
]


async def get_fresh(request: Request) -> bool:
    """Whether a search must know every change: who brings a credential may have made one."""
    return request.app.state.callers.brings_credential(request)


FreshDep = Annotated[bool, Depends(get_fresh)]


async def get_events(request: Request) -> Events:
    """Where to tell what visitors do."""
    return request.app.state.events


EventsDep = Annotated[Events, Depends(get_events)]


async def get_visitor(request: Request) -> Visitor | None:
    """Whom to count; None for those who are not to be counted."""
    return visitor_of(request.headers, await get_address(request))


VisitorDep = Annotated[Visitor | None, Depends(get_visitor)]


async def get_address(request: Request) -> str:
    """Where the client calls from; `` on a socket that does not say."""
    return request.client.host if request.client else ""


AddressDep = Annotated[str, Depends(get_address)]

# The first id of a path; each endpoint names it for itself.
PathId = Annotated[UUID, Path(alias="id", description="As lists and answers give it.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next_cursor` of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="Rows of a page.")]
LIMIT = DEFAULT_LIMIT
Words = Annotated[str | None, Query(max_length=200), Field(description="Part of a name.")]
