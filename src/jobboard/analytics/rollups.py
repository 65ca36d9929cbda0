"""Hits rolled up by minute, hour and day: an answer about a day reads 24 documents instead of
millions.

A roll-up is one document for a piece of time, with a row for each route, method and status. So what
an answer reads, and what a worker writes, grows with the length of time and the number of routes,
not with the number of hits.

Whoever stores hits marks their minutes first. A worker counts each marked minute anew, then its
hour from its minutes and its day from its hours, and only then takes the mark away; so whatever
stops in between is done again. Hits are only ever added, so of two counts of the same thing the
larger one is the later one, and it is the one that stays: two workers at once do no harm, and
nothing is counted twice.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import pymongo
from pymongo import DeleteOne, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from jobboard.analytics import latency
from jobboard.analytics.latency import Histogram
from jobboard.analytics.recorder import Collection, keep_for
from jobboard.clock import midnight, now

HITS = "hits"
MARKS = "hit_minutes_marked"
STATE = "analytics_state"
COUNTED = "rolled_up"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A mark stays until it is sure that the batch which it announced was stored, or never will be.
SETTLED = timedelta(seconds=30)
AT_ONCE = 60  # marks for one round
AT_A_TIME = 8  # roll-ups to take apart before other requests have their turn
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
        return f"hits_by_{self.name}"

    def floor(self, at: datetime) -> datetime:
        """The beginning of the one that `at` is in."""
        if self.length == DAY:
            return midnight(at)
        if self.length == HOUR:
            return at.replace(minute=0, second=0, microsecond=0)
        return at.replace(second=0, microsecond=0)


LEVELS = (Level("minute", MINUTE, 2), Level("hour", HOUR, 62), Level("day", DAY, 400))
BY_NAME = {level.name: level for level in LEVELS}


class Key(NamedTuple):
    """What is counted together within a piece of time."""

    route: str
    method: str
    status: int


@dataclass(slots=True)
class Tally:
    """How many hits, how long they took together, in ms, and how many of them how long."""

    count: int = 0
    ms: float = 0.0
    times: Histogram = 0

    def add(self, other: "Tally") -> None:
        """Count those of another, too."""
        self.count += other.count
        self.ms += other.ms
        self.times += other.times


Tallies = Mapping[Key, Tally]


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
    """Count what was marked; how many minutes. May run twice at once. Raises PyMongoError.

    The latest come first: after a long silence people ask what goes on now.
    """
    done = 0
    before = None
    while marked := await _one_round(database, before):
        before = marked[-1]["_id"]
        done += len(marked)
    return done


async def _one_round(database: AsyncDatabase, before: datetime | None) -> list[dict[str, Any]]:
    """Count some marked minutes, the last `before` one; the marks, none when all is counted."""
    with pymongo.timeout(PATIENCE):
        if before is None:
            await _ensure_indexes(database)
        marked = await _marked(database, before)
        if marked:
            await _count(database, [each["_id"] for each in marked])
            await _unmark(database, marked)
        else:
            await note_counted(database, COUNTED, now())
    return marked


async def counted_at(database: AsyncDatabase, what: str = COUNTED) -> datetime | None:
    """When a worker last counted all there was; None before the first time."""
    state = await database[STATE].find_one({"_id": what})
    return state["at"] if state else None


async def note_counted(database: AsyncDatabase, what: str, at: datetime) -> None:
    """All that happened before `at` is counted."""
    await database[STATE].update_one({"_id": what}, {"$max": {"at": at}}, upsert=True)


async def pieces(
    database: AsyncDatabase, level: Level, since: datetime, until: datetime
) -> AsyncIterator[tuple[datetime, list[tuple[Key, Tally]]]]:
    """The roll-ups that begin in this time, from `since` to before `until`."""
    within = {"at": {"$gte": since, "$lt": until}}
    async for piece in database[level.collection].find(within, batch_size=AT_A_TIME):
        yield piece["at"], [_row(row) for row in piece["rows"]]


def _row(row: Mapping[str, Any]) -> tuple[Key, Tally]:
    times = latency.unpacked(row["times"])
    return Key(row["route"], row["method"], row["status"]), Tally(row["count"], row["ms"], times)


async def _ensure_indexes(database: AsyncDatabase) -> None:
    for level in LEVELS:
        await keep_for(database[level.collection], days=level.days)


async def _marked(database: AsyncDatabase, before: datetime | None) -> list[dict[str, Any]]:
    earlier = {"_id": {"$lt": before}} if before else {}
    return await database[MARKS].find(earlier).sort("_id", -1).limit(AT_ONCE).to_list()


async def _unmark(database: AsyncDatabase, marked: Sequence[dict[str, Any]]) -> None:
    """Take away the marks that are settled, unless they were set anew meanwhile."""
    settled = [DeleteOne(each) for each in marked if each["at"] < now() - SETTLED]
    if settled:
        await database[MARKS].bulk_write(settled, ordered=False)


async def _count(database: AsyncDatabase, minutes: Sequence[datetime]) -> None:
    """Minutes from the hits themselves, each larger level from the one below."""
    for start in minutes:
        await _keep(database, LEVELS[0], start, await _of_hits(database, start))
    for below, level in pairwise(LEVELS):
        for start in sorted({level.floor(minute) for minute in minutes}):
            await _keep(database, level, start, await _of_rollups(database, below, level, start))


async def _of_hits(database: AsyncDatabase, start: datetime) -> Tallies:
    """A minute's. Its times are put into buckets here: an expression that takes a logarithm of each
    takes SecantusDB longer than all the rest."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"at": {"$gte": start, "$lt": start + MINUTE}}},
        {"$group": {"_id": {name: f"${name}" for name in Key._fields}, "times": {"$push": "$ms"}}},
    ]
    return {
        Key(**row["_id"]): Tally(
            len(row["times"]), round(sum(row["times"]), 2), latency.histogram(row["times"])
        )
        async for row in await database[HITS].aggregate(pipeline)
        if row["_id"].keys() == set(Key._fields)  # what is no whole hit must not stop the others
    }


async def _of_rollups(
    database: AsyncDatabase, below: Level, level: Level, start: datetime
) -> Tallies:
    """An hour's from its minutes, or a day's from its hours."""
    tallies: defaultdict[Key, Tally] = defaultdict(Tally)
    async for _, rows in pieces(database, below, start, start + level.length):
        for key, tally in rows:
            tallies[key].add(tally)
    return tallies


async def _keep(database: AsyncDatabase, level: Level, start: datetime, tallies: Tallies) -> None:
    """Store a roll-up, unless somebody has stored a later count."""
    count = sum(tally.count for tally in tallies.values())
    if not count:
        return
    rows = [
        {
            **key._asdict(),
            "count": tally.count,
            "ms": round(tally.ms, 2),
            "times": latency.packed(tally.times),
        }
        for key, tally in tallies.items()
    ]
    piece = {"_id": start, "at": start, "count": count, "rows": rows}
    kept = database[level.collection]
    try:
        await kept.replace_one({"_id": start, "count": {"$lte": count}}, piece, upsert=True)
    except DuplicateKeyError:
        # A later count is there; or another worker was the first, at this moment, to store one.
        await kept.replace_one({"_id": start, "count": {"$lt": count}}, piece)
