"""What is turned away before any of our code looks at it."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobboard.api.errors import on_domain_error
from jobboard.api.routes import RouteTable
from jobboard.errors import DomainError, FieldError, Invalid, TooLarge
from jobboard.schema import UNSTORABLE, pointer, storable

BODY_LIMIT = 1_000_000
ENVELOPE = 64_000  # what multipart and the other fields of an upload add to the file itself


class Guard:
    """Refuses NUL bytes in the address (422) and bodies above the limit of their route (413).

    The limit is 1 MB, `upload_limit` for routes that take a `File`, or what a route itself says
    in `max_body_size`. Bytes are counted as they come: Content-Length may lie or be absent.
    """

    def __init__(self, app: ASGIApp, *, routes: RouteTable, upload_limit: int) -> None:
        self.app = app
        self.routes = routes
        self.upload_limit = upload_limit + ENVELOPE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if problem := self._problem(scope):
            response = await on_domain_error(Request(scope), problem)
            await response(scope, receive, send)
            return
        total = 0

        async def count_and_receive() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > BODY_LIMIT and total > self._limit(scope):
                raise HTTPException(413)  # FastAPI turns any other exception into a 400
            return message

        await self.app(scope, count_and_receive, send)

    def _problem(self, scope: Scope) -> DomainError | None:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            return Invalid(errors=tuple(_unstorable(scope)))
        announced = _content_length(scope)
        if announced > BODY_LIMIT and announced > (limit := self._limit(scope)):
            return TooLarge(f"We take at most {limit:,} bytes here.")
        return None

    def _limit(self, scope: Scope) -> int:
        route = self.routes.upload(scope)
        return (route.max_body_size or self.upload_limit) if route else BODY_LIMIT


def _unstorable(scope: Scope) -> Iterator[FieldError]:
    message = UNSTORABLE.message_template
    if not storable(scope["path"]):
        yield FieldError("/path", message)
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if not storable(name + value):
            yield FieldError(pointer(("query", name)), message)


def _content_length(scope: Scope) -> int:
    """What the client announces; 0 where it does not, or not in digits."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
