"""Tokens: signed access tokens (JWT, RFC 7519), and opaque random ones kept only as SHA-256."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import jwt

from jobboard.accounts.scopes import ALL, Scope, read, written
from jobboard.clock import now
from jobboard.errors import Unauthenticated
from jobboard.settings import Settings

ALGORITHM = "HS256"
AUDIENCE = "jobboard"
HALF_AUDIENCE = "jobboard-second-step"  # so that neither token passes for the other
HALF_MINUTES = 5
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "sid", "scope"]


def new_token() -> str:
    """256 random bits, safe in an address and in a cookie."""
    return secrets.token_urlsafe(32)


def derived(settings: Settings, purpose: str, data: bytes) -> bytes:
    """256 bits that only who has the board's secret key can tell."""
    key = settings.secret_key.get_secret_value().encode()
    return hmac.digest(key, f"{purpose}:".encode() + data, "sha256")


def successor(token: str, settings: Settings) -> str:
    """The one token that a refresh token is traded for."""
    bits = derived(settings, "refresh", token.encode("utf-8", "surrogatepass"))
    return base64.urlsafe_b64encode(bits).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What we keep of an opaque token: it is random enough that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def access_token(
    secret: str,
    *,
    issuer: str,
    person_id: UUID,
    login_session_id: UUID,
    minutes: int,
    scopes: frozenset[Scope] = ALL,
) -> str:
    """A JWT that names the person (`sub`), the log-in session it dies with (`sid`) and what it can
    be used for (`scope`, as in RFC 9068)."""
    issued: datetime = now()
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(person_id),
        "sid": str(login_session_id),
        "scope": written(scopes),
        "jti": secrets.token_hex(16),
        "iat": issued,
        "exp": issued + timedelta(minutes=minutes),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


class Claims(NamedTuple):
    """What an access token says."""

    person_id: UUID
    login_session_id: UUID
    scopes: frozenset[Scope]


def read_access_token(token: str, secret: str, *, issuer: str) -> Claims:
    """What it says. Raises Unauthenticated for any other token."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=issuer,
            options={"require": REQUIRED},
        )
        return Claims(UUID(claims["sub"]), UUID(claims["sid"]), read(claims["scope"]))
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("This access token has expired.", code="token_expired") from None
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        raise Unauthenticated("This access token is not valid.", code="token_invalid") from None


def half_login_token(person_id: UUID, password_hash: str, settings: Settings) -> str:
    """Says for five minutes that someone knew this password; a new password ends it."""
    claims = {
        "iss": settings.base_url,
        "aud": HALF_AUDIENCE,
        "sub": str(person_id),
        "pwd": fingerprint(password_hash),
        "exp": now() + timedelta(minutes=HALF_MINUTES),
    }
    return jwt.encode(claims, settings.secret_key.get_secret_value(), algorithm=ALGORITHM)


def fingerprint(password_hash: str) -> str:
    """Tells one password hash, salted as it is, from another."""
    return hashlib.sha256(password_hash.encode()).hexdigest()


def read_half_login(token: str, settings: Settings) -> tuple[UUID, str]:
    """The person's id and the fingerprint of their password. Raises Unauthenticated."""
    try:
        claims = jwt.decode(
            token,
            settings.secret_key.get_secret_value(),
            algorithms=[ALGORITHM],
            audience=HALF_AUDIENCE,
            issuer=settings.base_url,
            options={"require": ["exp", "sub", "pwd"]},
        )
        return UUID(claims["sub"]), claims["pwd"]
    except (jwt.InvalidTokenError, ValueError):
        raise dead_half_login() from None


def dead_half_login() -> Unauthenticated:
    """The first step is too long ago, or counts no longer."""
    return Unauthenticated("That took too long. Log in again.", code="login_expired")
