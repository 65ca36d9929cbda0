"""The one source of the time, so that tests can set it, and the moments that people send us."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

YEARS = range(1900, 9000)  # far from the ends of what a timestamp can be, time zones included
WRITTEN = re.compile(r"\d{4}-\d\d-\d\d")
LOST_PLUS = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")
NOT_A_MOMENT = PydanticCustomError(
    "datetime_written", "This must be a date and time such as 2026-05-01T12:00:00Z."
)
FAR_AWAY = PydanticCustomError(
    "moment_far_away",
    "This is too far away: use a year from {first} to {last}.",
    {"first": YEARS[0], "last": YEARS[-1]},
)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)


def midnight(at: datetime) -> datetime:
    """The beginning of the day that `at` is in."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def first_day(days: int) -> datetime:
    """The midnight in UTC that `days` days, today among them, began with."""
    return midnight(now()) - timedelta(days=days - 1)


def _written(value: Any) -> Any:
    """Only what is written as a date: a bare number would be read as seconds since 1970."""
    if isinstance(value, str):
        if not WRITTEN.match(value):
            raise NOT_A_MOMENT
    elif not isinstance(value, datetime):
        raise NOT_A_MOMENT
    return value


def _near(moment: datetime) -> datetime:
    """The moment in UTC, where it is one that PostgreSQL and every client can hold."""
    if moment.year not in YEARS or moment.astimezone(UTC).year not in YEARS:
        raise FAR_AWAY
    return moment.astimezone(UTC)


def _with_plus(value: Any) -> Any:
    """In an address a bare `+` means a space: give `...T12:00:00 02:00` its sign back."""
    return LOST_PLUS.sub(r"\1+\2", value) if isinstance(value, str) else value


# What a body holds; and what an address does.
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_near)]
AskedMoment = Annotated[Moment, BeforeValidator(_with_plus)]
