"""Security headers for every answer, and what was found out about this one on the way.

A route that sets one of them itself is left alone.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Only what our own pages need. No inline script or style: user text can never run.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Two years, as hstspreload.org asks. Never in development: browsers would remember 127.0.0.1.
STRICT_TRANSPORT = {"strict-transport-security": "max-age=63072000; includeSubDomains"}
_ADDED = "answer_headers"  # in the scope's state


def add_header(scope: Scope, name: str, value: str) -> None:
    """Have the answer carry this header, whether it becomes an error or not."""
    added = scope.setdefault("state", {}).setdefault(_ADDED, [])
    added.append((name.lower().encode(), value.encode("latin-1")))


class Headers:
    """Adds what is missing of ALWAYS, HSTS in production, and the headers of `add_header`."""

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self.app = app
        wanted = {**ALWAYS, **(STRICT_TRANSPORT if production else {})}
        self.wanted = [(name.encode(), value.encode()) for name, value in wanted.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                wanted = self.wanted + scope.get("state", {}).get(_ADDED, [])
                message["headers"] = given + [header for header in wanted if header[0] not in names]
            await send(message)

        await self.app(scope, receive, send_with_headers)
