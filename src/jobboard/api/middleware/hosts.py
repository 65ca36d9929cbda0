"""The Host header: what a client claims to have asked for."""

import re
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from jobboard.api.errors import respond

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d*)?")
LOOPBACK = ("localhost", "127.0.0.1", "::1")  # health checks from the same machine
# Prometheus and whoever supervises ask a process by a name of the inside. No link stands in there.
INSIDE = {"/healthz", "/readyz", "/metrics"}


class Hosts:
    """Refuses (400) a Host that is neither that of `base_url` nor this very machine.

    Links and redirects made from a foreign one would lead people away.
    """

    def __init__(self, app: ASGIApp, *, base_url: str) -> None:
        self.app = app
        self.base_url = base_url
        self.known = {urlsplit(base_url).hostname, *LOOPBACK}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._may_be(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            detail = f"This board is at {self.base_url}."
            response = respond(Request(scope), 400, "unknown_host", detail)
            await response(scope, receive, send)

    def _may_be(self, scope: Scope) -> bool:
        return scope["path"] in INSIDE or _host(scope) in self.known


def _host(scope: Scope) -> str | None:
    """The name without the port; None for none, several, or one that cannot be read."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    found = HOST.fullmatch(given[0].decode("latin-1")) if len(given) == 1 else None
    return found[1].strip("[]").lower() if found else None
