"""When it is morning where someone lives. Zones come from the IANA database, and know of DST."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jobboard.alerts.models import Frequency

MORNING = time(8)
DAY = timedelta(days=1)


@lru_cache(maxsize=1000)
def _zone(name: str | None) -> ZoneInfo:
    """Of a name that this machine does not know any more, UTC."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local(moment: datetime, zone: str | None) -> datetime:
    """The moment as clocks show it there."""
    return moment.astimezone(_zone(zone))


def last_due(frequency: Frequency, zone: str | None, moment: datetime) -> datetime:
    """The last due time at or before `moment`, in UTC: a morning, or that of a Monday."""
    day = local(moment, zone).date()
    while not _is_due(frequency, day.weekday()) or _morning(day, zone) > moment:
        day -= DAY
    return _morning(day, zone)


def next_due(frequency: Frequency, zone: str | None, moment: datetime) -> datetime:
    """The first due time after `moment`, in UTC."""
    day = local(moment, zone).date()
    while not _is_due(frequency, day.weekday()) or _morning(day, zone) <= moment:
        day += DAY
    return _morning(day, zone)


def _is_due(frequency: Frequency, weekday: int) -> bool:
    return frequency is not Frequency.WEEKLY or weekday == 0


def _morning(day: date, zone: str | None) -> datetime:
    return datetime.combine(day, MORNING, _zone(zone)).astimezone(UTC)
