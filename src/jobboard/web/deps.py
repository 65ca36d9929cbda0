"""What pages ask for: a transaction, who looks, a form that is known to be ours."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import logins
from jobboard.accounts.queries import require_enrolled
from jobboard.accounts.schemas import Actor
from jobboard.admin.queries import pending_count
from jobboard.analytics.events import Events
from jobboard.analytics.visitors import Visitor, reader_of
from jobboard.errors import Unauthenticated
from jobboard.infra.engines import Engines
from jobboard.notifications.queries import unread_count
from jobboard.settings import Settings
from jobboard.web import cookies, csrf
from jobboard.web.cookies import Flash
from jobboard.web.forms import Form
from jobboard.web.rendering import engines_of

EnginesDep = Annotated[Engines, Depends(engines_of)]


async def get_settings(request: Request) -> Settings:
    """The settings of this process."""
    return engines_of(request).settings


SettingsDep = Annotated[Settings, Depends(get_settings)]


async def transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """One transaction for the request, committed before the page leaves."""
    async with engines_of(request).database.transaction() as session:
        yield session


# Scope "function": with the default, the commit would come after the response.
SessionDep = Annotated[AsyncSession, Depends(transaction, scope="function")]


async def find_viewer(request: Request, session: SessionDep, settings: SettingsDep) -> Actor | None:
    """Who looks, by the log-in cookie, or None. Left in `request.state` for the page's frame."""
    token = cookies.read(request, cookies.LOGIN, settings)
    viewer = await logins.resume_web_login(session, token, settings) if token else None
    request.state.viewer = viewer
    if viewer is not None:
        request.state.person_id = str(viewer.id)  # for the hit log
        request.state.unread = await unread_count(session, viewer.id)
        if viewer.is_admin:
            request.state.pending = await pending_count(session)
    return viewer


FoundDep = Annotated[Actor | None, Depends(find_viewer)]


async def get_viewer(request: Request, found: FoundDep) -> Actor | None:
    """The same. Raises Forbidden for an admin who must set up two-step log-in first."""
    if found is not None:
        require_to_enrol_first(request, found)
    return found


def require_to_enrol_first(request: Request, actor: Actor) -> None:
    """Raise Forbidden for an admin without the second step; the error's page leads to it."""
    request.state.must_enrol = actor.must_enrol
    require_enrolled(actor)


ViewerDep = Annotated[Actor | None, Depends(get_viewer)]


async def get_actor(viewer: ViewerDep) -> Actor:
    """Who is logged in. Raises Unauthenticated, which on pages leads to the log-in and back."""
    if viewer is None:
        raise Unauthenticated
    return viewer


ActorDep = Annotated[Actor, Depends(get_actor)]


async def get_newcomer(found: FoundDep) -> Actor:
    """Who is logged in, even an admin who has yet to set up two-step log-in."""
    return await get_actor(found)


NewcomerDep = Annotated[Actor, Depends(get_newcomer)]


async def find_viewer_alone(request: Request, engines: EnginesDep) -> Actor | None:
    """`find_viewer` in a transaction of its own: what waits for a password must hold none."""
    async with engines.database.transaction() as session:
        return await find_viewer(request, session, engines.settings)


FoundAloneDep = Annotated[Actor | None, Depends(find_viewer_alone)]


async def get_viewer_alone(request: Request, found: FoundAloneDep) -> Actor | None:
    """`get_viewer` with the same."""
    return await get_viewer(request, found)


ViewerAloneDep = Annotated[Actor | None, Depends(get_viewer_alone)]


async def get_actor_alone(viewer: ViewerAloneDep) -> Actor:
    """`get_actor` with the same."""
    return await get_actor(viewer)


ActorAloneDep = Annotated[Actor, Depends(get_actor_alone)]


async def get_newcomer_alone(found: FoundAloneDep) -> Actor:
    """`get_newcomer` with the same."""
    return await get_actor(found)


NewcomerAloneDep = Annotated[Actor, Depends(get_newcomer_alone)]


async def get_address(request: Request) -> str:
    """Where the client calls from; `` on a socket that does not say."""
    return request.client.host if request.client else ""


AddressDep = Annotated[str, Depends(get_address)]


async def get_fresh(request: Request) -> bool:
    """Whether a search must know every change: who is logged in may have made one."""
    return request.app.state.callers.brings_credential(request)


FreshDep = Annotated[bool, Depends(get_fresh)]


async def get_events(request: Request) -> Events:
    """Where to tell what readers do."""
    return request.app.state.events


EventsDep = Annotated[Events, Depends(get_events)]


async def get_reader(request: Request) -> Visitor | None:
    """Whom to count as having read this page; None for those who are not to be counted."""
    return reader_of(request.headers, await get_address(request))


ReaderDep = Annotated[Visitor | None, Depends(get_reader)]


async def get_form(request: Request, found: FoundDep, settings: SettingsDep) -> AsyncIterator[Form]:
    """What a form sent, once it is sure that it is ours: see `csrf.py`. Every POST asks for it.

    Its files are closed with the request.
    """
    async with _own_form(request, found, settings) as form:
        yield form


async def get_form_alone(
    request: Request, found: FoundAloneDep, settings: SettingsDep
) -> AsyncIterator[Form]:
    """The same for a page that holds no transaction."""
    async with _own_form(request, found, settings) as form:
        yield form


@asynccontextmanager
async def _own_form(
    request: Request, viewer: Actor | None, settings: Settings
) -> AsyncGenerator[Form]:
    csrf.require_own_page(request, settings)
    async with request.form() as data:
        form = Form(data)
        if viewer is not None:
            csrf.require_token(form.value(csrf.FIELD), viewer, settings)
        yield form


FormDep = Annotated[Form, Depends(get_form)]
FormAloneDep = Annotated[Form, Depends(get_form_alone)]


def redirect(
    request: Request, to: str, text: str = "", *, tone: str = "good", email: str = ""
) -> RedirectResponse:
    """Go on to another page after a form (303), there with a message if `text` says one."""
    response = RedirectResponse(to, status_code=303)
    if text:
        settings = engines_of(request).settings
        cookies.write_flash(response, Flash(text, tone, email), settings)
    return response


def local_path(target: str | None, default: str = "/") -> str:
    """`target` if it leads to a page of this board, else `default`: no open redirect.

    Browsers read `//host` and `/\\host` as another site, and drop tabs and line ends first.
    """
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    if "\\" in target or any(char <= " " or char == "\x7f" for char in target):
        return default
    return target
