"""From errors to answers: THE table from kind to status, and problem details (RFC 9457).

A problem has `type title status detail code request_id`, and `errors` [{pointer, message}] where
single inputs are to blame. A pointer into the body is an RFC 6901 path (`/salary/min`, or `` for
the body as a whole); one to a parameter starts with its place: `/query/limit`, `/path/id`,
`/header/...`, `/cookie/...`.

Everything under /api, and every client that asks for JSON, gets a problem; browsers get a page.
"""

import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from redis.exceptions import RedisError
from slowapi.errors import RateLimitExceeded
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jobboard import errors
from jobboard.infra.idempotency import KeyInUse
from jobboard.infra.quota import refusal_headers
from jobboard.schema import field_errors

log = structlog.get_logger()
RETRY_SECONDS = "5"
EDITED = "edited_meanwhile"  # the code of a Conflict about a version

STATUS: dict[type[errors.DomainError], int] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
TITLES = {
    400: "Bad request",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Not what you read",
    413: "Too large",
    415: "Unsupported kind of content",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "Our mistake",
    503: "Not available now",
}
# Code and detail of what the framework refuses by itself.
FRAMEWORK = {
    400: ("bad_request", "We cannot read this request."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("too_large", "This is more than we take at once."),
}
# What PostgreSQL says (SQLSTATE, or its first two characters) when it is not our bug.
UNAVAILABLE = ("08", "53", "57", "55P03", "40P01", "40001", "25P03")
UNSTORABLE = ("22003", "22021", "22P05")


class RenderPage(Protocol):
    """Draws the page for an error, in its own words where `title` or `detail` is empty."""

    def __call__(
        self,
        request: Request,
        status: int,
        title: str,
        detail: str,
        *,
        errors: tuple[errors.FieldError, ...],
    ) -> Response: ...


def install(app: FastAPI, render_page: RenderPage) -> None:
    """Answer every error of `app`; `render_page` for people, problem details for programs."""
    app.state.render_error_page = render_page
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)


def status_of(error: errors.DomainError) -> int:
    """The status of an error by its kind."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def respond(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    page_detail: str | None = None,
    fields: tuple[errors.FieldError, ...] = (),
    more: Mapping[str, int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem, or the page that says the same, in its own words for a `page_detail` of ``."""
    title = TITLES.get(status, "Something went wrong")
    request_id = request.scope.get("state", {}).get("request_id", "")
    if wants_page(request):
        detail = detail if page_detail is None else page_detail
        draw: RenderPage = request.app.state.render_error_page
        response = draw(request, status, "", detail, errors=fields)
    else:
        response = _problem(status, code, title, detail, fields, more or {}, request_id)
    response.headers.update(headers or {})
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def wants_page(request: Request) -> bool:
    """Whether a person is looking: not below /api, nor through a WebSocket, and not a client that
    asks for JSON."""
    if request.scope["type"] != "http" or request.scope["path"].startswith("/api/"):
        return False
    accept = request.headers.get("accept", "")
    return "text/html" in accept or "json" not in accept


def _problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    fields: tuple[errors.FieldError, ...],
    more: Mapping[str, int],
    request_id: str,
) -> Response:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **more,
    }
    if fields:
        problem["errors"] = [
            {"pointer": field.pointer, "message": field.message} for field in fields
        ]
    # ASCII only: a name of theirs in a pointer may hold half of a surrogate pair.
    return Response(json.dumps(problem), status, media_type="application/problem+json")


async def on_domain_error(request: Request, error: errors.DomainError) -> Response:
    """What the core refuses."""
    status = status_of(error)
    headers = {}
    if error.code == EDITED:
        status = edited_status(request)
        headers |= request.scope.get("state", {}).get("current", {})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, errors.InsufficientScope):
        headers["WWW-Authenticate"] = f'Bearer error="{error.code}", scope="{error.scope}"'
    elif isinstance(error, errors.RateLimited):
        headers |= refusal_headers(error)
    elif status == 503 or isinstance(error, KeyInUse):
        headers["Retry-After"] = RETRY_SECONDS
    return respond(
        request,
        status,
        error.code,
        error.message,
        fields=error.errors,
        more=error.more,
        headers=headers,
    )


async def on_validation_error(request: Request, error: RequestValidationError) -> Response:
    """What the schemas refuse, and a body that is no JSON at all."""
    problems = error.errors()
    page = not request.scope["path"].startswith("/api/")
    if page and any(problem["loc"][0] == "path" for problem in problems):
        return respond(request, 404, *FRAMEWORK[404], page_detail="")  # an id that is none
    fields = field_errors(_located(problem) for problem in problems)
    if any(problem["type"] == "json_invalid" for problem in problems):
        return respond(request, 400, "malformed_json", fields[0].message, fields=fields)
    return respond(request, 422, errors.Invalid.code, errors.Invalid.message, fields=fields)


def _located(problem: dict[str, Any]) -> dict[str, Any]:
    """`loc` as we promise it: a path into the body, or the place and name of a parameter."""
    place, *path = problem["loc"]
    if place != "body":
        return problem
    if problem["type"] == "json_invalid":  # `path` is where in the text the JSON breaks
        path = []
    return {**problem, "loc": path}


async def on_http_error(request: Request, error: HTTPException) -> Response:
    """What the framework refuses: unknown address, wrong method, broken body."""
    status = error.status_code
    code, detail = FRAMEWORK.get(status, ("error", str(error.detail)))
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(sorted(allowed_methods(request)))
        if request.method == "OPTIONS":  # RFC 9110, section 9.3.7: this is what it asks for
            return Response(status_code=204, headers=headers)
    return respond(request, status, code, detail, page_detail="", headers=headers)


async def on_rate_limit(request: Request, error: RateLimitExceeded) -> Response:
    """More requests than their class allows. `limits.check` says in the headers when to go on."""
    headers = dict(error.headers or {})
    wait = f"Try again in {errors.in_words(int(headers['Retry-After']))}."
    detail = f"These are more requests than we take: {error.detail}. {wait}"
    return respond(request, 429, errors.RateLimited.code, detail, page_detail=wait, headers=headers)


def allowed_methods(request: Request) -> set[str]:
    """All methods of an address; Starlette names only those of the first route that matches.

    Where one names the address itself, those whose `{id}` would fit as well do not count.
    """
    path = request.scope["path"]
    routes = [
        route
        for route in iter_route_contexts(request.app.routes)
        if (pattern := getattr(route, "path_regex", None)) is not None and pattern.match(path)
    ]
    named = [route for route in routes if route.path == path]
    methods = {method for route in named or routes for method in route.methods or ()}
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


def edited_status(request: Request) -> int:
    """What a change of something that was changed meanwhile gets: 412 if it was to depend on an
    ETag (RFC 9110, section 13.1.1), else 409."""
    return 412 if "if-match" in request.headers else 409


async def on_stale_data(request: Request, _error: StaleDataError) -> Response:
    """Someone else saved the same row first: its version counter moved on."""
    return respond(
        request,
        edited_status(request),
        EDITED,
        "Someone else changed this while you were editing. Load it again and repeat your change.",
    )


async def on_database_error(request: Request, error: DBAPIError) -> Response:
    """PostgreSQL is gone or overloaded (503), or cannot hold a value (422); else it is our bug."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if error.connection_invalidated or state.startswith(UNAVAILABLE):
        return await on_silent_engine(request, error)
    if state in UNSTORABLE or isinstance(getattr(error.orig, "__cause__", None), ValueError):
        log.warning("value.unstorable", sqlstate=state, error=type(error).__name__)
        return respond(request, 422, errors.Invalid.code, errors.Invalid.message)
    raise error


async def on_os_error(request: Request, error: OSError) -> Response:
    """A server that cannot be reached is not our mistake; a file that is missing is."""
    # The loop raises a bare OSError when it tried several addresses of one name.
    several = type(error) is OSError and str(error).startswith("Multiple exceptions")
    if several or isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return await on_silent_engine(request, error)
    raise error


async def on_silent_engine(request: Request, error: Exception) -> Response:
    """An engine does not answer: come back in a moment."""
    log.warning("engine.silent", error=type(error).__name__, detail=str(error)[:200])
    headers = {"Retry-After": RETRY_SECONDS}
    unavailable = errors.Unavailable
    return respond(
        request, 503, unavailable.code, unavailable.message, page_detail="", headers=headers
    )


def on_crash(request: Request) -> Response:
    """Whatever went wrong inside stays inside."""
    detail = "Something broke on our side. We logged it."
    return respond(request, 500, "internal_error", detail, page_detail="")


HANDLERS: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    errors.DomainError: on_domain_error,
    RequestValidationError: on_validation_error,
    HTTPException: on_http_error,
    RateLimitExceeded: on_rate_limit,
    StaleDataError: on_stale_data,
    DBAPIError: on_database_error,
    PoolTimeout: on_silent_engine,
    OSError: on_os_error,
    RedisError: on_silent_engine,
}
