"""gzip, with a tag of its own for what is compressed (RFC 9110, section 8.8.3.3)."""

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MINIMUM = 1_000  # bytes
LEVEL = 5  # level 9 takes twice the time for one more percent
MARK = '-gzip"'
# Not If-Range: bytes of one variant must never be joined with those of the other.
CONDITIONS = (b"if-none-match", b"if-match")


class Compress:
    """Compresses what is worth it and marks its strong ETag: `"3f9a"` becomes `"3f9a-gzip"`.

    Within, there are only tags of the plain variant: the mark is taken from what clients send.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = GZipMiddleware(app, minimum_size=MINIMUM, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        known = _unmark(scope)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                if "etag" in headers:
                    _mark(message["status"], headers, known)
            await send(message)

        await self.app(scope, receive, send_marked)


def _unmark(scope: Scope) -> str:
    """Take the mark from the conditions of a request; its If-None-Match as it came."""
    known = ""
    for index, (name, value) in enumerate(scope["headers"]):
        if name in CONDITIONS and MARK.encode() in value:
            scope["headers"][index] = (name, value.replace(MARK.encode(), b'"'))
            known = value.decode("latin-1") if name == b"if-none-match" else known
    return known


def _mark(status: int, headers: MutableHeaders, known: str) -> None:
    tag = headers["etag"]
    marked = tag[:-1] + MARK
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")  # a 304 says the same as its 200
    if status == 304:
        if marked in known:
            headers["etag"] = marked
    elif "content-encoding" in headers and not tag.startswith("W/"):
        headers["etag"] = marked
