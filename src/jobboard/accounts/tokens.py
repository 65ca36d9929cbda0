"""Tokens: signed access tokens (JWT, RFC 7519), and opaque random ones kept only as SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import jwt

from jobboard.clock import now
from jobboard.errors import Unauthenticated

ALGORITHM = "HS256"
AUDIENCE = "jobboard"
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "sid"]


def new_token() -> str:
    """256 random bits, safe in an address and in a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What we keep of an opaque token: it is random enough that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def access_token(
    secret: str, *, issuer: str, person_id: UUID, login_session_id: UUID, minutes: int
) -> str:
    """A JWT that names the person (`sub`) and the log-in session it dies with (`sid`)."""
    issued: datetime = now()
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(person_id),
        "sid": str(login_session_id),
        "jti": secrets.token_hex(16),
        "iat": issued,
        "exp": issued + timedelta(minutes=minutes),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def read_access_token(token: str, secret: str, *, issuer: str) -> tuple[UUID, UUID]:
    """The person's id and the log-in session's. Raises Unauthenticated for any other token."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=issuer,
            options={"require": REQUIRED},
        )
        return UUID(claims["sub"]), UUID(claims["sid"])
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("This access token has expired.", code="token_expired") from None
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        raise Unauthenticated("This access token is not valid.", code="token_invalid") from None
