"""Hits rolled up by minute, hour and day: an answer about a day reads hundreds of documents
instead of millions.

Whoever stores hits marks their minutes first. A worker counts each marked minute anew, then its
hour from its minutes and its day from its hours, and only then takes the mark away; so whatever
stops in between is done again. Hits are only ever added, so of two counts of the same thing the
larger one is the later one, and it is the one that stays: two workers at once do no harm, and
nothing is counted twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import pymongo
from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from jobboard.analytics import latency
from jobboard.analytics.latency import Histogram
from jobboard.analytics.recorder import Collection, keep_for, refused
from jobboard.clock import now

HITS = "hits"
MARKS = "hit_minutes_marked"
STATE = "analytics_state"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A mark stays until it is sure that the batch which it announced was stored, or never will be.
SETTLED = timedelta(seconds=30)
AT_ONCE = 60  # marks for one round
WRITES = 200  # roll-ups for one command, so that a small server still hears others
PATIENCE = 120  # seconds for one round


@dataclass(frozen=True, slots=True)
class Level:
    """Roll-ups of one length, and for how many days they are kept. They name nobody."""

    name: str
    length: timedelta
    days: int

    @property
    def collection(self) -> str:
        """Where they are."""
        return f"hit_{self.name}s"

    def floor(self, at: datetime) -> datetime:
        """The beginning of the one that `at` is in."""
        if self.length == DAY:
            return at.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.length == HOUR:
            return at.replace(minute=0, second=0, microsecond=0)
        return at.replace(second=0, microsecond=0)


LEVELS = (Level("minute", MINUTE, 2), Level("hour", HOUR, 62), Level("day", DAY, 400))
BY_NAME = {level.name: level for level in LEVELS}


class Key(NamedTuple):
    """What is counted together: the beginning of a piece of time, and what was asked for."""

    at: datetime
    route: str
    method: str
    status: int

    @property
    def id(self) -> str:
        """The id of its roll-up. Text, as SecantusDB looks for ids that are objects one by one."""
        return f"{self.at:%Y-%m-%dT%H:%M}Z {self.method} {self.status} {self.route}"


@dataclass(slots=True)
class Times:
    """How long hits took, each in its bucket and all together."""

    histogram: Histogram = field(default_factory=Histogram)
    ms: float = 0.0

    def add(self, pairs: list[list[int]], ms: float) -> None:
        """Add those of others."""
        latency.add(self.histogram, pairs)
        self.ms += ms


async def mark(marks: Collection, moments: Iterable[datetime]) -> None:
    """Say that hits of these moments are about to be stored."""
    minutes = {LEVELS[0].floor(at) for at in moments}
    announced = now()
    await marks.bulk_write(
        [
            UpdateOne({"_id": minute}, {"$set": {"at": announced}}, upsert=True)
            for minute in minutes
        ],
        ordered=False,
    )


async def roll_up(database: AsyncDatabase) -> int:
    """Count what was marked; how many minutes. May run twice at once. Raises PyMongoError."""
    done = 0
    since = None
    while marked := await _one_round(database, since):
        since = marked[-1]["_id"]
        done += len(marked)
    return done


async def _one_round(database: AsyncDatabase, since: datetime | None) -> list[dict[str, Any]]:
    """Count some marked minutes, the first after `since`; the marks, none when all is counted."""
    with pymongo.timeout(PATIENCE):
        if since is None:
            await _ensure_indexes(database)
        marked = await _marked(database, since)
        if marked:
            await _count(database, [each["_id"] for each in marked])
            await _unmark(database, marked)
        else:
            state = {"$max": {"at": now()}}
            await database[STATE].update_one({"_id": "rolled_up"}, state, upsert=True)
    return marked


async def rolled_up_at(database: AsyncDatabase) -> datetime | None:
    """When a worker last counted all there was; None before the first time."""
    state = await database[STATE].find_one({"_id": "rolled_up"})
    return state["at"] if state else None


async def _ensure_indexes(database: AsyncDatabase) -> None:
    for level in LEVELS:
        await keep_for(database[level.collection], days=level.days)


async def _marked(database: AsyncDatabase, since: datetime | None) -> list[dict[str, Any]]:
    later = {"_id": {"$gt": since}} if since else {}
    return await database[MARKS].find(later).sort("_id", 1).limit(AT_ONCE).to_list()


async def _unmark(database: AsyncDatabase, marked: Sequence[dict[str, Any]]) -> None:
    """Take away the marks that are settled, unless they were set anew meanwhile."""
    for each in marked:
        if each["at"] < now() - SETTLED:
            await database[MARKS].delete_one(each)


async def _count(database: AsyncDatabase, minutes: Sequence[datetime]) -> None:
    """Each level from the one below, a piece of the level above at a time."""
    below, *larger = LEVELS
    for level in larger:
        marked = sorted({below.floor(minute) for minute in minutes})
        for _, group in groupby(marked, key=level.floor):
            pieces = list(group)
            await _keep(database, below, await _count_anew(database, below, pieces))
        below = level
    for start in sorted({below.floor(minute) for minute in minutes}):
        await _keep(database, below, await _count_anew(database, below, [start]))


async def _count_anew(
    database: AsyncDatabase, level: Level, pieces: Sequence[datetime]
) -> dict[Key, Times]:
    """From the first to the last of some pieces of a level."""
    if level is LEVELS[0]:
        return await _of_hits(database, pieces[0], pieces[-1] + level.length)
    below = LEVELS[LEVELS.index(level) - 1]
    return await _of_rollups(database, below, level, pieces[0], pieces[-1] + level.length)


async def _of_hits(database: AsyncDatabase, since: datetime, until: datetime) -> dict[Key, Times]:
    """Minutes, counted from the hits themselves."""
    group = {
        "_id": {
            "at": {"$dateTrunc": {"date": "$at", "unit": "minute"}},
            "route": "$route", "method": "$method", "status": "$status", "bucket": latency.BUCKET,
        },
        "count": {"$sum": 1},
        "ms": {"$sum": "$ms"},
    }  # fmt: skip
    pipeline = [{"$match": {"at": {"$gte": since, "$lt": until}}}, {"$group": group}]
    counts: dict[Key, Times] = defaultdict(Times)
    async for row in await database[HITS].aggregate(pipeline):
        bucket = row["_id"].pop("bucket")
        if row["_id"].keys() == set(Key._fields):  # what is no whole hit must not stop the others
            counts[Key(**row["_id"])].add([[bucket, row["count"]]], row["ms"])
    return counts


async def _of_rollups(
    database: AsyncDatabase, below: Level, level: Level, since: datetime, until: datetime
) -> dict[Key, Times]:
    """Hours from their minutes, or days from their hours."""
    counts: dict[Key, Times] = defaultdict(Times)
    async for row in database[below.collection].find({"at": {"$gte": since, "$lt": until}}):
        key = Key(level.floor(row["at"]), row["route"], row["method"], row["status"])
        counts[key].add(latency.unpacked(row["times"]), row["ms"])
    return counts


async def _keep(database: AsyncDatabase, level: Level, counts: dict[Key, Times]) -> None:
    """Store roll-ups where nobody has stored a later count."""
    if not counts:
        return
    writes = []
    for key, times in counts.items():
        count = times.histogram.total()
        document = {
            "_id": key.id,
            **key._asdict(),
            "count": count,
            "ms": round(times.ms, 2),
            "times": latency.packed(times.histogram),
        }
        later = {"$gt": ["$count", count]}
        update = [{"$replaceWith": {"$cond": [later, "$$ROOT", {"$literal": document}]}}]
        writes.append(UpdateOne({"_id": document["_id"]}, update, upsert=True))
    for first in range(0, len(writes), WRITES):
        await _write(database[level.collection], writes[first : first + WRITES])


async def _write(collection: Collection, writes: Sequence[UpdateOne]) -> None:
    try:
        await collection.bulk_write(writes, ordered=False)
    except BulkWriteError as error:
        if refused(error):
            raise
        # Another worker made one of them at the same moment: now it is there to be compared.
        await collection.bulk_write(writes, ordered=False)
