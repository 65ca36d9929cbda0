"""Hits by route, status and piece of time, read from their roll-ups."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics import latency, rollups
from jobboard.analytics.latency import Histogram
from jobboard.analytics.rollups import BY_NAME, DAY, HOUR, Level
from jobboard.analytics.schemas import Bucket, Grouping, HitReport, HitRow, HitSearch, HitStats
from jobboard.clock import now
from jobboard.errors import FieldError, Invalid

MAX_ROWS = 10_000
# The longest time for which an answer reads roll-ups of a length: some thousands of documents.
LONGEST = {Bucket.MINUTE: DAY, Bucket.HOUR: 31 * DAY, Bucket.DAY: 400 * DAY}
USUAL = {Bucket.MINUTE: 3 * HOUR, Bucket.HOUR: 3 * DAY, Bucket.DAY: 400 * DAY}
FIELDS = {
    Grouping.STATUS: ("route", "method", "status"),
    Grouping.ROUTE: ("route", "method"),
    Grouping.ALL: (),
}
SHARES = (0.5, 0.95, 0.99)


async def report(database: AsyncDatabase, asked: HitSearch) -> HitReport:
    """What was asked for. Raises Invalid for too long a time, PyMongoError for no answer."""
    level, since, until = _period(asked)
    rows = await _rows(database, asked, level, since, until)
    items = sorted((_row(row) for row in rows), key=_order)
    return HitReport(
        items=items[:MAX_ROWS],
        total=_stats(rows),
        since=since,
        until=until,
        step=Bucket(level.name),
        as_of=await rollups.rolled_up_at(database),
        truncated=len(items) > MAX_ROWS,
    )


def _period(asked: HitSearch) -> tuple[Level, datetime, datetime]:
    """The roll-ups to read, and whole pieces of their length that cover what was asked for."""
    until = asked.until or now()
    since = asked.since or until - DAY
    length = until - since
    if length <= timedelta():
        raise _wrong("from", "This must be before the end, `to`.")
    usual = (bucket for bucket, most in USUAL.items() if length <= most)
    bucket = asked.bucket or next(usual, Bucket.DAY)
    if length > LONGEST[bucket]:
        days = LONGEST[bucket] // DAY
        most = "1 day" if days == 1 else f"{days} days"
        raise _wrong("from", f"By the {bucket}, at most {most} can be asked for at once.")
    level = BY_NAME[bucket]
    begin, end = level.floor(since), level.floor(until)
    return level, begin, end if end == until else end + level.length


def _wrong(name: str, message: str) -> Invalid:
    return Invalid(message, errors=(FieldError(f"/query/{name}", message),))


async def _rows(
    database: AsyncDatabase, asked: HitSearch, level: Level, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Added up by MongoDB, except for the histograms: those are a few thousand numbers, which
    adding them up here takes a tenth of the time of taking them apart there."""
    match: dict[str, Any] = {"at": {"$gte": since, "$lt": until}}
    match |= asked.model_dump(include={"route", "method", "status"}, exclude_none=True)
    fields = (*FIELDS[asked.by], *(["at"] if asked.bucket else []))
    group = {
        "_id": {name: f"${name}" for name in fields},
        "count": {"$sum": "$count"},
        "ms": {"$sum": "$ms"},
        "errors": {"$sum": _from_status(400)},
        "server_errors": {"$sum": _from_status(500)},
        "times": {"$push": "$times"},
    }
    found = await database[level.collection].aggregate([{"$match": match}, {"$group": group}])
    return await found.to_list()


def _from_status(status: int) -> dict[str, Any]:
    return {"$cond": [{"$gte": ["$status", status]}, "$count", 0]}


def _row(row: dict[str, Any]) -> HitRow:
    key: dict[str, Any] = row["_id"]
    return HitRow(
        route=key.get("route"),
        method=key.get("method"),
        status=key.get("status"),
        bucket=key.get("at"),
        **_stats([row]).model_dump(),
    )


def _stats(rows: list[dict[str, Any]]) -> HitStats:
    count = sum(row["count"] for row in rows)
    times = Histogram()
    for packed in _packed(rows):
        latency.add(times, latency.unpacked(packed))
    p50, p95, p99 = (latency.percentile(times, share) for share in SHARES)
    return HitStats(
        count=count,
        error_share=_share(sum(row["errors"] for row in rows), count),
        server_error_share=_share(sum(row["server_errors"] for row in rows), count),
        mean_ms=round(sum(row["ms"] for row in rows) / count, 2) if count else None,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def _packed(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield from row["times"]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _order(row: HitRow) -> tuple[float, int, str, str, int]:
    at = row.bucket.timestamp() if row.bucket else 0.0
    return (at, -row.count, row.route or "", row.method or "", row.status or 0)
