"""Our cookies: the log-in or half of one, and a flash (a message that survives one redirect).

In production their names carry `__Host-`: browsers then take them only over TLS, for this host
and every path, so that no other host of the domain can set them.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from fastapi import Request
from starlette.responses import Response

from jobboard.settings import Settings

LOGIN = "jobboard_session"
HALF_LOGIN = "jobboard_half_login"
FLASH = "jobboard_flash"
FLASH_SECONDS = 120
HALF_LOGIN_SECONDS = 300
LONGEST = 400 * 86_400  # seconds; browsers keep no cookie longer (RFC 6265bis, section 5.5)


@dataclass(frozen=True, slots=True)
class Flash:
    """What just happened, for the next page. `email` fills in the log-in form."""

    text: str
    tone: str = "good"
    email: str = ""


def sign(settings: Settings, purpose: str, text: str) -> str:
    """HMAC-SHA256 of `text`, of no use for another purpose."""
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def cookie_name(name: str, settings: Settings) -> str:
    """The name as the browser knows it."""
    return f"__Host-{name}" if settings.production else name


def read(request: Request, name: str, settings: Settings) -> str | None:
    """A cookie's value."""
    return request.cookies.get(cookie_name(name, settings))


def write(response: Response, name: str, value: str, settings: Settings, *, seconds: int) -> None:
    """Set a cookie that scripts cannot read and other sites' forms do not send."""
    response.set_cookie(
        cookie_name(name, settings),
        value,
        max_age=seconds,
        path="/",
        secure=settings.production,
        httponly=True,
        samesite="lax",
    )


def clear(response: Response, name: str, settings: Settings) -> None:
    """Take a cookie away."""
    write(response, name, "", settings, seconds=0)


def write_login(response: Response, token: str, settings: Settings) -> None:
    """The cookie of a log-in. How long that lives is for the server to say."""
    write(response, LOGIN, token, settings, seconds=LONGEST)


def write_half_login(response: Response, token: str, settings: Settings) -> None:
    """What stands between the two steps of a log-in."""
    write(response, HALF_LOGIN, token, settings, seconds=HALF_LOGIN_SECONDS)


def write_flash(response: Response, flash: Flash, settings: Settings) -> None:
    """Leave a message for the next page, signed, so that nobody else can put words there."""
    packed = base64.urlsafe_b64encode(json.dumps(asdict(flash)).encode()).decode()
    value = f"{packed}.{sign(settings, 'flash', packed)}"
    write(response, FLASH, value, settings, seconds=FLASH_SECONDS)


def read_flash(request: Request, settings: Settings) -> Flash | None:
    """The message, if there is one and we wrote it."""
    packed, _, signature = (read(request, FLASH, settings) or "").partition(".")
    expected = sign(settings, "flash", packed)
    if not packed or not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    return Flash(**json.loads(base64.urlsafe_b64decode(packed)))
