"""How an answer about the last day grows with the hits of that day.

Hits are stored and rolled up for real up to RAW; beyond that the roll-ups of a day are written as
so many hits leave them, because only they are read: their number grows with routes and hours, not
with hits. Each answer must count exactly the hits that there were.
"""

import math
import random
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter

import pymongo
from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics import hitreport, rollups
from jobboard.analytics.hits import Hit
from jobboard.analytics.latency import GROWTH
from jobboard.analytics.rollups import BY_NAME, HITS, HOUR, Key, Times
from jobboard.analytics.schemas import Bucket, Grouping, HitSearch
from jobboard.clock import now
from jobboard.infra.mongo import Mongo

RAW = (5_000, 20_000)
ROLLED_UP = (100_000, 1_000_000, 10_000_000)
ROUTES = [f"/api/v1/things-{number}/{{id}}" for number in range(40)]
STATUSES = (200, 200, 200, 200, 200, 200, 404, 401, 422, 500)
ASKED = 5


def some_hits(number: int, start: datetime) -> list[Hit]:
    """Over ten minutes of two hours, so that a minute is as full as that of a busy board."""
    dice = random.Random(number)
    return [
        Hit(
            start + timedelta(minutes=dice.randrange(0, 120, 12), seconds=dice.uniform(0, 60)),
            dice.choice(ROUTES),
            "GET",
            dice.choice(STATUSES),
            round(dice.lognormvariate(2.3, 0.8), 2),
            900,
            None,
            None,
            "203.0.113.0/24",
            "0" * 24,
        )
        for _ in range(number)
    ]


def some_rollups(number: int, start: datetime) -> dict[Key, Times]:
    """A day's hours, with `number` hits among them, on every route with every status."""
    dice = random.Random(number)
    keys = [
        Key(start + hour * HOUR, route, "GET", status)
        for hour in range(24)
        for route in ROUTES
        for status in STATUSES
    ]
    counts: dict[Key, Times] = {}
    share, rest = divmod(number, len(keys))
    for index, key in enumerate(keys):
        times = counts.setdefault(key, Times())
        own = share + (index < rest)
        # Few draws stand for many hits: no more buckets are filled than so many hits would fill.
        draws = min(own, 400)
        for draw, (whole, more) in enumerate([divmod(own, max(draws, 1))] * draws):
            bucket = math.ceil(dice.gauss(2.3, 0.8) / math.log(GROWTH))
            times.histogram[bucket] += whole + (draw < more)
        times.ms += own * 10
    return counts


async def page(database: AsyncDatabase, start: datetime) -> tuple[float, int]:
    """What the page of the last day asks: how long it took, and the hits that it counted."""
    times, count = [], 0
    for _ in range(ASKED):
        began = perf_counter()
        for by, bucket in ((Grouping.ALL, Bucket.HOUR), (Grouping.ROUTE, None)):
            asked = HitSearch(since=start, until=start + 24 * HOUR, by=by, bucket=bucket)
            count = (await hitreport.report(database, asked)).total.count
        times.append(perf_counter() - began)
    return median(times), count


async def run(mongo_url: str) -> None:
    """One size after the other, each in a database that is empty but for it."""
    mongo = Mongo(mongo_url)
    database = mongo.database
    start = BY_NAME["day"].floor(now()) - 24 * HOUR
    print("The page of the last day, by the hits of that day")
    with pymongo.timeout(3600):
        for number in RAW:
            await _forget(database)
            hits = some_hits(number, start)
            began = perf_counter()
            await rollups.mark(database[rollups.MARKS], (hit.at for hit in hits))
            for index in range(0, number, 1000):
                await database[HITS].insert_many(
                    hit._asdict() for hit in hits[index : index + 1000]
                )
            stored = perf_counter()
            await rollups.roll_up(database)
            counted = perf_counter()
            notes = f"stored in {stored - began:.1f} s, rolled up in {counted - stored:.1f} s"
            await _tell(database, start, number, notes)
        for number in ROLLED_UP:
            await _forget(database)
            counts = some_rollups(number, start)
            keys = list(counts)
            for index in range(0, len(keys), 1000):
                some = {key: counts[key] for key in keys[index : index + 1000]}
                await rollups._keep(database, BY_NAME["hour"], some)
            await _tell(database, start, number, "as rolled up")
    await mongo.close()


async def _tell(database: AsyncDatabase, start: datetime, number: int, notes: str) -> None:
    seconds, count = await page(database, start)
    assert count == number, f"{count} counted of {number}"
    documents = await database[BY_NAME["hour"].collection].count_documents({})
    print(f"  {number:10,} hits  {documents:6,} roll-ups  page {seconds * 1000:6.0f} ms  ({notes})")


async def _forget(database: AsyncDatabase) -> None:
    for name in (HITS, rollups.MARKS, *(level.collection for level in rollups.LEVELS)):
        await database[name].drop()
