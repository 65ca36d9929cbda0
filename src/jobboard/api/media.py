"""What kind of body a route takes: JSON, a form, or a form with a file. Anything else is a 415.

Without this a body of another kind would pass for an empty one, and the answer would blame fields
that were sent.
"""

from fastapi import params
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from jobboard.errors import UnsupportedMedia
from jobboard.infra.rates import SAFE

JSON = "application/json"
MULTIPART = "multipart/form-data"
FORM = ("application/x-www-form-urlencoded", MULTIPART)
SEND: dict[tuple[str, ...], str] = {
    (JSON,): f"Send JSON, with Content-Type: {JSON}.",
    FORM: f"Send a form, with Content-Type: {FORM[0]} or {MULTIPART}.",
    (MULTIPART,): f"Send the file in a form, with Content-Type: {MULTIPART}.",
}


async def check(connection: HTTPConnection) -> None:
    """Look at the kind of a body before anything else does. Raises UnsupportedMedia."""
    scope = connection.scope
    if scope.get("method", "GET") in SAFE or not _has_body(connection):
        return
    # Pages take what browsers send.
    taken = _taken(scope["route"]) if scope["path"].startswith("/api/") else FORM
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not taken or kind in taken:
        return
    if JSON not in taken or not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia(SEND[taken])


def _has_body(connection: HTTPConnection) -> bool:
    headers = connection.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _taken(route: APIRoute) -> tuple[str, ...]:
    """The kinds that a route of the API reads; none where it reads no body by itself."""
    if route.body_field is None:
        return ()
    info = route.body_field.field_info
    if isinstance(info, params.File):
        return (MULTIPART,)
    return FORM if isinstance(info, params.Form) else (JSON,)
