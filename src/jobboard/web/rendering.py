"""Templates: one environment, and `render`, which every page goes through."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from jobboard.accounts.schemas import Actor
from jobboard.infra.engines import Engines
from jobboard.web import formatting, places
from jobboard.web.assets import static_url
from jobboard.web.cookies import FLASH, clear, read_flash
from jobboard.web.csrf import form_token
from jobboard.web.forms import Form

TEMPLATES = Environment(
    loader=PackageLoader("jobboard.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
GLOBALS: dict[str, Any] = {"static_url": static_url, "options": formatting.options}
TEMPLATES.globals.update(GLOBALS)
TEMPLATES.filters.update(
    age=formatting.age,
    clock=formatting.clock,
    count=formatting.count,
    country=places.country,
    day=formatting.day,
    days=formatting.days,
    due=formatting.due,
    elsewhere=formatting.elsewhere,
    host=formatting.host,
    label=formatting.label,
    marked=formatting.marked,
    balance=formatting.balance,
    by_rate=formatting.by_rate,
    money=formatting.money,
    monogram=formatting.monogram,
    past=formatting.past,
    pay=formatting.pay,
    place=places.place,
    place_and_workplace=places.place_and_workplace,
    plain_day=formatting.plain_day,
    plural=formatting.plural,
    size=formatting.size,
    within=formatting.within,
    yearly=formatting.yearly,
)


def engines_of(request: Request) -> Engines:
    """The clients that the lifespan made."""
    return request.app.state.engines


def viewer_of(request: Request) -> Actor | None:
    """Who looks, as far as this request asked (`deps.get_viewer`)."""
    return getattr(request.state, "viewer", None)


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    private: bool = False,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page. `private` ones are never kept by a browser or a proxy, nor is one with a flash.

    Templates get what is passed, and `viewer`, `board_name`, `base_url`, `path`, `csrf_token`,
    `pending` (jobs that wait, for moderators), `unread_news` and `flash`.
    """
    settings = engines_of(request).settings
    viewer = viewer_of(request)
    flash = read_flash(request, settings)
    html = TEMPLATES.get_template(template).render(
        request=request,
        viewer=viewer,
        viewer_known=hasattr(request.state, "viewer"),
        board_name=settings.board_name,
        base_url=settings.base_url,
        path=request.url.path,
        csrf_token=form_token(viewer, settings) if viewer else "",
        pending=getattr(request.state, "pending", 0),
        unread_news=getattr(request.state, "unread", 0),
        flash=flash,
        **context,
    )
    response = HTMLResponse(html, status, headers=dict(headers or {}))
    for form in context.values():
        if isinstance(form, Form):
            response.headers.update(form.headers)
    response.headers["Cache-Control"] = "no-store" if private or flash else "no-cache"
    response.headers["Vary"] = "Cookie"
    if flash:
        clear(response, FLASH, settings)
    return response
