"""Hits by route, status and piece of time, read from their roll-ups."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics import latency, rollups
from jobboard.analytics.rollups import BY_NAME, DAY, HOUR, Key, Level, Tally
from jobboard.analytics.schemas import Bucket, Grouping, HitReport, HitRow, HitSearch, HitStats
from jobboard.clock import now
from jobboard.errors import FieldError, Invalid

MAX_ROWS = 50_000
# The longest time for which an answer reads roll-ups of a length: some hundreds of documents.
LONGEST = {Bucket.MINUTE: DAY, Bucket.HOUR: 31 * DAY, Bucket.DAY: 400 * DAY}
USUAL = {Bucket.MINUTE: 3 * HOUR, Bucket.HOUR: 3 * DAY, Bucket.DAY: 400 * DAY}
SHARES = (0.5, 0.95, 0.99)


class Group(NamedTuple):
    """What a row of an answer is about; None for what is counted together."""

    at: datetime | None
    route: str | None
    method: str | None
    status: int | None


@dataclass(slots=True)
class Counted:
    """Hits of one group."""

    tally: Tally = field(default_factory=Tally)
    errors: int = 0
    server_errors: int = 0

    def add(self, status: int, tally: Tally) -> None:
        """Count some of one status, too."""
        self.tally.add(tally)
        self.errors += tally.count if status >= 400 else 0
        self.server_errors += tally.count if status >= 500 else 0


async def report(database: AsyncDatabase, asked: HitSearch) -> HitReport:
    """What was asked for. Raises Invalid for too long a time, PyMongoError for no answer."""
    [answer] = await reports(database, asked, [(asked.by, asked.bucket is not None)])
    return answer


async def reports(
    database: AsyncDatabase, asked: HitSearch, views: Sequence[tuple[Grouping, bool]]
) -> list[HitReport]:
    """The same hits in several ways, read once: grouped by what, and whether also by time."""
    level, since, until = _period(asked)
    as_of = await rollups.counted_at(database)
    groups: list[dict[Group, Counted]] = [defaultdict(Counted) for _ in views]
    everything = Counted()
    async for at, rows in rollups.pieces(database, level, since, until):
        for key, tally in rows:
            if not _is_asked(asked, key):
                continue
            everything.add(key.status, tally)
            for counts, (by, split) in zip(groups, views, strict=True):
                counts[_group(at if split else None, key, by)].add(key.status, tally)
    total = HitStats.model_validate(_stats(everything))

    def answer(counts: dict[Group, Counted]) -> HitReport:
        return HitReport(
            items=[_row(group, counts[group]) for group in _first(counts)],
            total=total,
            since=since,
            until=until,
            step=Bucket(level.name),
            as_of=as_of,
            truncated=len(counts) > MAX_ROWS,
        )

    # Thousands of rows take a while: other requests have their turn meanwhile.
    return [await asyncio.to_thread(answer, counts) for counts in groups]


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


def _is_asked(asked: HitSearch, key: Key) -> bool:
    return (
        asked.route in (None, key.route)
        and asked.method in (None, key.method)
        and asked.status in (None, key.status)
    )


def _group(at: datetime | None, key: Key, by: Grouping) -> Group:
    if by is Grouping.ALL:
        return Group(at, None, None, None)
    return Group(at, key.route, key.method, key.status if by is Grouping.STATUS else None)


def _first(counts: dict[Group, Counted]) -> list[Group]:
    """As many as an answer holds, oldest first, then busiest first."""

    def order(group: Group) -> tuple[float, int, str, str, int]:
        at = group.at.timestamp() if group.at else 0.0
        count = counts[group].tally.count
        return (at, -count, group.route or "", group.method or "", group.status or 0)

    return sorted(counts, key=order)[:MAX_ROWS]


def _row(group: Group, counted: Counted) -> HitRow:
    return HitRow(
        route=group.route,
        method=group.method,
        status=group.status,
        bucket=group.at,
        **_stats(counted),
    )


def _stats(counted: Counted) -> dict[str, Any]:
    tally = counted.tally
    p50, p95, p99 = latency.percentiles(tally.times, SHARES)
    return {
        "count": tally.count,
        "error_share": _share(counted.errors, tally.count),
        "server_error_share": _share(counted.server_errors, tally.count),
        "mean_ms": round(tally.ms / tally.count, 2) if tally.count else None,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
