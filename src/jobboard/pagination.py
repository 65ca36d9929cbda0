"""Keyset paging: a cursor names the last row seen, so that new rows never shift a page."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from jobboard.clock import YEARS
from jobboard.errors import FieldError, Invalid
from jobboard.schema import storable

Item = TypeVar("Item")
Limit = Annotated[int, Field(ge=1, le=100, description="Rows of a page.")]
DEFAULT_LIMIT = 20
MAX_CURSOR = 500


class Page(BaseModel, Generic[Item]):
    """One page of a list. `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(*key: str | int | float | None) -> str:
    """Pack the sort key of the last row of a page; opaque to clients."""
    raw = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(cursor: str, *shape: type) -> list:
    """Unpack a cursor of exactly these types. Raises Invalid for anything that we did not write."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError(cursor)
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise wrong_cursor() from None
    if not isinstance(key, list) or [type(part) for part in key] != list(shape):
        raise wrong_cursor()
    if not all(storable(part) for part in key if isinstance(part, str)):
        raise wrong_cursor()
    return key


def wrong_cursor() -> Invalid:
    """The error for a cursor that is not of this list."""
    message = "This cursor is not from this list. Start again without one."
    errors = (FieldError("/query/cursor", message),)
    return Invalid(message, code="invalid_cursor", errors=errors)


def fingerprint(asked: str) -> str:
    """Twelve characters that stand for a search in its cursors: they lead on in it only."""
    return hashlib.blake2s(asked.encode(), digest_size=6).hexdigest()


def cut(rows: Sequence[Item], limit: int) -> tuple[Sequence[Item], bool]:
    """Rows were fetched with `limit + 1`: the page, and whether there is more."""
    return rows[:limit], len(rows) > limit


def moment_cursor(at: datetime, row_id: UUID) -> str:
    """The cursor of lists that are sorted by a moment."""
    return encode_cursor(at.isoformat(), str(row_id))


def read_moment_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """What `moment_cursor` packed, or None where there is no cursor. Raises Invalid."""
    if cursor is None:
        return None
    at, row_id = decode_cursor(cursor, str, str)
    return read_moment(at), read_id(row_id)


def read_moment(text: str) -> datetime:
    """A moment of a cursor, one that PostgreSQL can hold in any time zone. Raises Invalid."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong_cursor() from None
    if moment.tzinfo is None or moment.year not in YEARS:
        raise wrong_cursor()
    return moment


def read_id(text: str) -> UUID:
    """The id of a cursor. Raises Invalid."""
    try:
        return UUID(text)
    except ValueError:
        raise wrong_cursor() from None
