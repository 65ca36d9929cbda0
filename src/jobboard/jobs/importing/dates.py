"""Dates as sources write them: ISO 8601, RFC 822, epoch seconds and milliseconds."""

import re
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from jobboard.clock import now

_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)  # earlier ones are an empty field's 1970
_MILLISECONDS = 10**11  # as seconds this would be the year 5138
_EPOCH = re.compile(r"-?\d{9,14}(?:\.\d+)?")


def read_date(value: Any) -> datetime | None:
    """The moment in UTC; None if it cannot be read, is before 2000, or is more than a day ahead.

    A time without a zone is read as UTC, a date without a time as its midnight.
    """
    try:
        found = _read(value)
        found = found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
        found = found.astimezone(UTC) if found else None
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
    return found if found and _OLDEST <= found <= now() + timedelta(days=1) else None


def _read(value: Any) -> datetime | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _epoch(float(value))
    if not isinstance(value, str):
        return None
    text = value.strip()[:64]
    if _EPOCH.fullmatch(text):
        return _epoch(float(text))
    if text[:4].isdigit():
        return _iso(text.removesuffix(" UTC").replace(" +", "+"))
    return parsedate_to_datetime(text)


def _epoch(number: float) -> datetime:
    seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC)


def _iso(text: str) -> datetime:
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), time.min)
    return datetime.fromisoformat(text)
