"""Conditional requests (RFC 9110, section 13): ETag, If-None-Match, If-Match.

An ETag is a hash of the very bytes of an answer. So it changes when, and only when, what this
reader would see changes, whichever table that comes from; and as each byte counts it is strong.
The compressed variant of an answer has a tag of its own: see `middleware/compress.py`.

What an If-Match names is turned into the `version` that its sender read: services judge both alike.
"""

import re
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from jobboard.api.errors import EDITED
from jobboard.errors import Conflict, FieldError, Invalid

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
LIST = re.compile(rf"\*|{TAG}(?:[ \t]*,[ \t]*{TAG})*")
STALE = -1  # no row has this version
OUTDATED = "This has changed since you read it. Load it again and look first."

IfMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=2000,
        description="The `ETag` that you read, in its quotes. If it has changed since, you get a "
        "412 and nothing is written. `*` stands for any.",
        examples=['"3J1rVqvQ0m2hX4yN"'],
    ),
]


def etag(body: bytes) -> str:
    """The tag of exactly these bytes."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def tags(header: str) -> list[str]:
    """The tags of an If-Match or If-None-Match; `["*"]` for any."""
    return ["*"] if header.strip() == "*" else re.findall(TAG, header)


def none_match(header: str, current: str) -> bool:
    """The weak comparison (section 8.8.3.2) of If-None-Match: whether the reader lacks this."""
    known = {tag.removeprefix("W/") for tag in tags(header)}
    return not known & {"*", current.removeprefix("W/")}


class IfMatch:
    """What the sender of a change believes to be there."""

    def __init__(self, request: Request, header: str | None) -> None:
        if header is not None and not LIST.fullmatch(header.strip()):
            message = 'Send tags as you read them, such as "3f9a0c", with their quotes, or *.'
            raise Invalid(message, errors=(FieldError("/header/If-Match", message),))
        self._request = request
        self._tags = None if header is None else set(tags(header))

    async def version(
        self, read: Callable[[], Awaitable[Any]], given: int | None = None
    ) -> int | None:
        """The `version` that the sender read: `given` with the change, or what their tag stands
        for. `read` gives the thing as they would read it now; it is asked only with an If-Match.
        """
        if self._tags is None:
            return given
        current = await read()
        if not self._holds(current):
            return STALE
        return current.version if given is None and "*" not in self._tags else given

    def require(self, current: BaseModel) -> None:
        """The same for what counts no versions; the caller has locked its row. Raises Conflict."""
        if not self._holds(current):
            raise Conflict(OUTDATED, code=EDITED)

    def _holds(self, current: BaseModel) -> bool:
        """By the strong comparison (section 13.1.1). The current tag is for the 412."""
        tag = etag(current.model_dump_json(by_alias=True).encode())
        if self._tags is None or self._tags & {"*", tag}:
            return True
        self._request.state.current = {"ETag": tag}
        return False


async def if_match(request: Request, header: IfMatchHeader = None) -> IfMatch:
    """The parsed header. Raises Invalid."""
    return IfMatch(request, header)


IfMatchDep = Annotated[IfMatch, Depends(if_match)]


def condition(request: Request, response: Response) -> Response:
    """The answer with its ETag; or, for a reader who has exactly that, a 304 without it.

    Called when all is done, so that nobody learns from a 304 what they may not read.
    """
    if not _tagged(response):
        return response
    response.headers["ETag"] = tag = etag(bytes(response.body))
    if request.method != "GET":
        return response
    private = "authorization" in request.headers
    response.headers.setdefault("Cache-Control", "private, no-cache" if private else "no-cache")
    response.headers.add_vary_header("Authorization")
    known = request.headers.get("if-none-match")
    if known is None or none_match(known, tag):
        return response
    return _not_modified(response)


def _tagged(response: Response) -> bool:
    """Only JSON that succeeded, and not what may not be stored."""
    headers = response.headers
    return (
        response.status_code in {200, 201}
        and headers.get("content-type") == "application/json"
        and "no-store" not in headers.get("cache-control", "")
    )


def _not_modified(response: Response) -> Response:
    headers = {
        name: value for name, value in response.headers.items() if not name.startswith("content-")
    }
    return Response(status_code=304, headers=headers)
