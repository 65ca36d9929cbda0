"""/admin/data: the main tables for admins, to read and, with care, to edit (starlette-admin).

Only what is named here is shown: no hash, token or secret is. What can be edited goes through the
core's own verbs, so that their rules and derived columns hold, and each change is told to the
audit log. Nothing is made or deleted here.

The library brings inline scripts and styles, so its pages have a policy of their own (CSP); it
loads no file from elsewhere. It is imported at the first request: most processes never see one.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from jobboard.accounts.logins import resume_web_login
from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.infra.engines import Engines
from jobboard.settings import Settings
from jobboard.web import cookies
from jobboard.web.csrf import require_own_page
from jobboard.web.deps import require_to_enrol_first

if TYPE_CHECKING:
    from starlette.applications import Starlette

PATH = "/admin/data"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
SAFE = {"GET", "HEAD"}


def mount(settings: Settings, wrap: Callable[[ASGIApp], ASGIApp]) -> Mount:
    """The route of the whole of it, which no dependency guards: `wrap` stands before it."""
    return Mount(PATH, app=wrap(DataAdmin(settings)), name="data-admin")


class DataAdmin:
    """Lets admins in, by the log-in of the pages, and shows what starlette-admin draws."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: Engines | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        request = Request(scope, receive)
        self._engines = self._engines or request.app.state.engines
        actor = await self._admin(request, self._engines)
        if actor is None:
            target = quote(scope["path"], safe="/")
            response = RedirectResponse(f"/log-in?next={quote(target, safe='')}", status_code=303)
            await response(scope, receive, send)
            return
        if scope["method"] not in SAFE:
            require_own_page(request, self._settings)
        # An app of its own, with the whole path: addresses are made from the outermost router.
        inner = {**scope, "root_path": scope["root_path"].removesuffix(PATH)}
        del inner["router"]
        inner["state"]["actor"] = actor
        await self._app(inner, receive, _privately(send))

    async def _admin(self, request: Request, engines: Engines) -> Actor | None:
        """The moderator who looks, or None for nobody. Raises Forbidden for others."""
        token = cookies.read(request, cookies.LOGIN, self._settings)
        if not token:
            return None
        async with engines.database.transaction() as session:
            actor = await resume_web_login(session, token, self._settings)
        request.state.viewer = actor  # for the frame of an error's page
        if actor is not None:
            request.state.person_id = str(actor.id)
            require_to_enrol_first(request, actor)
            require(actor, Right.MODERATE)
        return actor

    @cached_property
    def _app(self) -> "Starlette":
        # Here, not above: several megabytes, and a process that no admin asks never needs them.
        from jobboard.web.data_views import make_app

        assert self._engines is not None
        secret = cookies.sign(self._settings, "data-admin", "cookies")
        return make_app(self._engines.database.engine, PATH, self._settings.board_name, secret)


def _privately(send: Send) -> Send:
    """Every answer with the policy of these pages; what is no file of the library is not kept."""

    async def send_privately(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = POLICY
            if headers.get("content-type", "").startswith(("text/html", "application/json")):
                headers["cache-control"] = "no-store"
        await send(message)

    return send_privately
