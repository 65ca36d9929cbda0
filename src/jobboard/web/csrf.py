"""Against forms that other sites make a browser send in someone's name.

Two walls. First, a form must come from our own pages: `Sec-Fetch-Site` says so, or, where a
browser or a plain-http address has none, `Origin`; a request with neither is no browser's form,
and scripts have the API. This alone guards forms that need no log-in (log-in, sign-up, a report).
Second, whoever is logged in sends a token with every form, an HMAC of their log-in's id: it
changes with every log-in and needs no cookie or row of its own.
"""

import hmac

from fastapi import Request

from jobboard.accounts.schemas import Actor
from jobboard.errors import Forbidden
from jobboard.infra.origin import is_ours
from jobboard.settings import Settings
from jobboard.web.cookies import sign

FIELD = "csrf_token"


def form_token(actor: Actor, settings: Settings) -> str:
    """What every form of this log-in carries."""
    return sign(settings, "csrf", str(actor.login_session_id))


def require_own_page(request: Request, settings: Settings) -> None:
    """Raise Forbidden unless the browser says that one of our own pages sent this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        origin, host = request.headers.get("origin", ""), request.headers.get("host")
        ours = is_ours(origin, host, settings.base_url)
    if not ours:
        raise Forbidden(
            "This form was not sent from a page of this board. Open the page again and retry.",
            code="cross_site",
        )


def require_token(token: str, actor: Actor, settings: Settings) -> None:
    """Raise Forbidden unless the form carries the token of this log-in."""
    if not hmac.compare_digest(token.encode(), form_token(actor, settings).encode()):
        raise Forbidden(
            "This page is from before you logged in. Load it again and retry.",
            code="csrf_token",
        )
