"""Who calls, and under which request id; the audit log hears both."""

import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobboard.analytics.hits import truncated
from jobboard.infra.provenance import Origin, coming_from
from jobboard.infra.traces import name_request

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
SOCKET = "unix"  # in the setting: whoever comes by a Unix socket is a proxy of ours


@dataclass(frozen=True, slots=True)
class Proxies:
    """Who is a proxy of ours."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    socket: bool = False

    @classmethod
    def parse(cls, setting: str) -> "Proxies":
        """From `10.0.0.0/8, fd00::/8, unix`. Raises ValueError, which names what is no network."""
        names = [name.strip() for name in setting.split(",") if name.strip()]
        networks = tuple(ip_network(name, strict=False) for name in names if name != SOCKET)
        return cls(networks, SOCKET in names)

    def include(self, address: str) -> bool:
        """Whether this peer is one of them; `` is a Unix socket."""
        if not address:
            return self.socket
        if not self.networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self.networks)


class Identify:
    """Sets `scope["client"]` to who really calls and `scope["state"]["request_id"]`.

    Only our own proxies (the setting `trusted_proxies`) are believed: X-Forwarded-For is read
    from the right up to the first address that is none of ours, and X-Request-ID is kept.
    """

    def __init__(self, app: ASGIApp, *, proxies: Proxies) -> None:
        self.app = app
        self.proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = ""
        if self.proxies.include(_peer(scope)):
            request_id = self._believe(scope)
        request_id = request_id or os.urandom(12).hex()
        scope.setdefault("state", {})["request_id"] = request_id
        header = (b"x-request-id", request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        name_request(request_id)
        with coming_from(Origin(truncated(_peer(scope)), request_id)):
            await self.app(scope, receive, send_with_id)

    def _believe(self, scope: Scope) -> str:
        """Take client and scheme from the proxy's headers; return its request id, or ``."""
        request_id = ""
        forwarded: list[str] = []
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                forwarded += value.decode("latin-1").split(",")
            elif name == b"x-forwarded-proto" and value in (b"http", b"https"):
                # A WebSocket keeps its own pair of schemes.
                scope["scheme"] = value.decode().replace("http", _scheme(scope))
            elif name == b"x-request-id" and REQUEST_ID.fullmatch(value):
                request_id = value.decode()
        for address in reversed(forwarded):
            if not _is_address(address := address.strip()):
                break
            scope["client"] = (address, 0)
            if not self.proxies.include(address):
                break
        return request_id


def _peer(scope: Scope) -> str:
    """Who holds the other end of the connection; `` for a Unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


def _scheme(scope: Scope) -> str:
    return "ws" if scope["type"] == "websocket" else "http"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
