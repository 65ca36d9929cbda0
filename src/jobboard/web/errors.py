"""Errors as pages: what went wrong in plain words, and a way on."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobboard.errors import FieldError
from jobboard.web.deps import local_path
from jobboard.web.rendering import engines_of
from jobboard.web.rendering import render as render_page

TITLES = {
    400: "We could not read that",
    403: "This is not for you",
    404: "There is nothing here",
    405: "That does not work here",
    409: "Things have changed",
    413: "That is too large",
    415: "We cannot read this kind of file",
    422: "Something in this address is not right",
    429: "Please wait a little",
    500: "Something broke on our side",
    503: "We will be right back",
}
HINTS = {
    404: "The page may have moved, or the job is gone. A search finds what there is now.",
    405: "Go back and try it from there.",
    500: "It is not your fault. Please try again.",
}


@dataclass(frozen=True, slots=True)
class WayOn:
    """A link that helps."""

    href: str
    text: str


def render(
    request: Request,
    status: int,
    title: str = "",
    detail: str = "",
    *,
    errors: Sequence[FieldError] = (),
) -> Response:
    """The page for an error. 401 leads to the log-in and from there back.

    A title of ours wins over `title`, which is written for scripts.
    """
    if status == 401:
        return RedirectResponse(_log_in(request), status_code=303)
    return render_page(
        request,
        "error.html",
        status=status,
        private=True,
        error_status=status,
        title=TITLES.get(status, title),
        detail=detail,
        hint=HINTS.get(status, ""),
        errors=errors,
        request_id=request.scope.get("state", {}).get("request_id", ""),
        way_on=_way_on(request, status),
    )


def _log_in(request: Request) -> str:
    """/log-in, with the page to come back to: this one, or the one whose form was sent."""
    back = _this(request) if _reads(request) else _referring_path(request)
    return f"/log-in?next={quote(local_path(back), safe='')}"


def _way_on(request: Request, status: int) -> WayOn:
    if not _reads(request):
        return WayOn(local_path(_referring_path(request)), "Back to the page before")
    if status == 422:
        return WayOn(local_path(request.url.path), "Start again without the rest of the address")
    if status in {409, 429, 500, 503}:
        return WayOn(local_path(_this(request)), "Try again")
    return WayOn("/", "See all jobs")


def _reads(request: Request) -> bool:
    return request.method in {"GET", "HEAD"}


def _this(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _referring_path(request: Request) -> str:
    """The page whose form was sent, if it is one of ours."""
    referrer = urlsplit(request.headers.get("referer", ""))
    own = urlsplit(engines_of(request).settings.base_url).netloc
    return referrer.path if referrer.netloc in {own, request.headers.get("host")} else "/"
