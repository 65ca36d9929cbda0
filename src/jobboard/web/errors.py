"""Errors as pages: what went wrong in plain words, and a way on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Request
from fastapi.responses import RedirectResponse
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jobboard.errors import DomainError, FieldError
from jobboard.web.deps import find_viewer, local_path
from jobboard.web.forms import MEGABYTE
from jobboard.web.rendering import engines_of
from jobboard.web.rendering import render as render_page

log = structlog.get_logger()

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
    413: "What you typed is still on the page before: go back with your browser, choose a smaller "
    "file and send it again. The form says how large a file may be.",
    429: "You, or others on your network, asked for more than we answer at once. Nothing is lost: "
    "wait that long, then go on. What you typed is still on the page before.",
    503: "A part of the board does not answer now. What was there is safe: try again in a moment. "
    "If you were sending something, look first whether it arrived.",
    500: "It is not your fault. Please try again.",
}
PARAMETERS = {  # what people call the parts of an address
    "q": "What",
    "location": "Where",
    "remote": "Workplace",
    "employment_type": "Contract",
    "experience": "Experience",
    "country": "Country",
    "radius_km": "Around the place",
    "include_remote": "Remote jobs",
    "posted_within": "Posted",
    "salary_min": "Pay",
    "currency": "Currency",
    "undisclosed_pay": "Jobs without pay",
    "sort": "Sort",
    "company": "Company",
    "tag": "Tag",
    "status": "Status",
    "show": "Tasks",
    "priority": "Priority",
    "due": "Due",
    "cursor": "Page",
}


@dataclass(frozen=True, slots=True)
class WayOn:
    """A link that helps."""

    href: str
    text: str


HOME = WayOn("/", "See all jobs")
ENROL_TITLE = "One thing first"
ENROL = WayOn("/me/security/two-step", "Set up two-step log-in")


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
    return ErrorPage(
        request,
        status,
        title=ENROL_TITLE if _must_enrol(request) else TITLES.get(status, title),
        detail=_in_megabytes(detail) if status == 413 else detail,
        hint=HINTS.get(status, ""),
        problems=[text for text in _told(errors) if text != detail],
        request_id=request.scope.get("state", {}).get("request_id", ""),
        way_on=_way_on(request, status),
    )


class ErrorPage(Response):
    """Drawn when it is sent: an error may come before anyone asked who looks."""

    def __init__(self, request: Request, status: int, **context: Any) -> None:
        super().__init__(status_code=status)
        del self.headers["content-length"]
        self.request = request
        self.context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not hasattr(self.request.state, "viewer") and self.status_code < 500:
            await _find_viewer(self.request)
        page = render_page(
            self.request,
            "error.html",
            status=self.status_code,
            private=True,
            error_status=self.status_code,
            **self.context,
        )
        page.headers.update(self.headers)
        await page(scope, receive, send)


async def _find_viewer(request: Request) -> None:
    """Say in `request.state` who looks. Where that cannot be known now, the page does without."""
    engines = engines_of(request)
    try:
        async with engines.database.transaction() as session:
            await find_viewer(request, session, engines.settings)
    except (DomainError, SQLAlchemyError, OSError) as error:
        log.warning("error_page.viewer_unknown", error=type(error).__name__)


def _in_megabytes(detail: str) -> str:
    """Sizes as people say them: 5 MB for 5,306,880 bytes."""
    return re.sub(
        r"([\d,]+) bytes",
        lambda found: f"{round(int(found[1].replace(',', '')) / MEGABYTE)} MB",
        detail,
    )


def _told(errors: Sequence[FieldError]) -> Iterator[str]:
    """What is wrong, with the name of the parameter that is meant."""
    for problem in errors:
        path = re.sub(r"^/(query|path|header|cookie)/", "/", problem.pointer)
        name = path.strip("/").split("/")[0]
        yield f"{PARAMETERS.get(name, name)}: {problem.message}" if name else problem.message


def _log_in(request: Request) -> str:
    """/log-in, with the page to come back to: this one, or the one whose form was sent."""
    back = _this(request) if _reads(request) else _referring_path(request)
    return f"/log-in?next={quote(local_path(back), safe='')}"


def _must_enrol(request: Request) -> bool:
    """Whether an admin who has yet to set up two-step log-in was stopped (`deps.get_viewer`)."""
    return getattr(request.state, "must_enrol", False)


def _way_on(request: Request, status: int) -> WayOn:
    if _must_enrol(request):
        return ENROL
    if not _reads(request):
        return WayOn(local_path(_referring_path(request)), "Back to the page before")
    if status == 405:
        return _page_above(request)
    if status == 422 and request.url.query and request.url.path != "/":
        return WayOn(local_path(request.url.path), "Open the page without the rest of the address")
    if status in {409, 429, 500, 503}:
        return WayOn(local_path(_this(request)), "Try again")
    return HOME


def _page_above(request: Request) -> WayOn:
    """The page that the form of an address stands on, which takes only what forms send."""
    path = request.url.path
    while (path := path.rpartition("/")[0]) and not _is_page(request, path):
        pass
    return WayOn(local_path(path), "Go back to its page") if path else HOME


def _is_page(request: Request, path: str) -> bool:
    for route in iter_route_contexts(request.app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and "GET" in (route.methods or ()) and pattern.match(path):
            return True
    return False


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
