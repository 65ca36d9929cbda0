"""How the page of the last day, and the worker that counts for it, grow with the hits of that day.

python -m benchmarks hits_growth

Roll-ups have a row for each route, method and status: with the hits of a day grows only how many
buckets of its histogram a row fills. The page also shows searches, of which a day keeps its most
frequent terms: there is one search for each hundred hits, of 20,000 terms, a few of which are most
of them.

100,000 hits are stored and rolled up for real. Beyond that the day's roll-ups are written as so
many hits leave them, and only the last minute is stored, marked and rolled up for real: storing 10
million one by one would take the engine of `make up` more than five minutes, and nothing but the
roll-up of its minute ever reads a hit. The page is fetched as an admin fetches it, and must tell
exactly the hits and searches that there were. The roll-up of the 100,000 is that of a worker which
did not run for a day; with it running, it is that of a minute.
"""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter, process_time
from typing import Any

import httpx2
import pymongo
import uvloop
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from benchmarks.board import board, filled, quiet, serving
from benchmarks.output import until_no_one_reads
from jobboard.analytics import latency, rollups, searches
from jobboard.analytics.events import COLLECTION
from jobboard.analytics.hits import Hit
from jobboard.analytics.rollups import HITS, HOUR, LEVELS, MARKS, MINUTE, Key, Tally
from jobboard.clock import now
from jobboard.infra.mongo import DEFAULT_DATABASE
from jobboard.settings import Settings
from jobboard.web.formatting import count as written

REAL, ROLLED_UP = 100_000, (1_000_000, 10_000_000)
ROUTES = [f"/api/v1/things-{number}/{{id}}" for number in range(100)]
STATUSES = (200, 404, 401, 422, 500)
WEIGHTS = (90, 5, 2, 2, 1)
SEARCHES = 0.01  # of the hits
TERMS = 20_000
ASKED = 5
PAGE = "/admin/analytics"
PATHS = {
    "page": PAGE,
    "CSV": f"{PAGE}/hits.csv",
    "JSON": f"{PAGE}/hits.json",
}


class Day:
    """The last 24 hours as the page sees them: this one, going on, and the 23 before it."""

    def __init__(self, database: AsyncDatabase, dice: random.Random) -> None:
        self.database = database
        self.dice = dice
        self.minute = LEVELS[0].floor(now())
        self.hour = LEVELS[1].floor(self.minute)
        self.start = self.hour - 23 * HOUR

    def hits(self, number: int, since: datetime, length: timedelta) -> list[Hit]:
        """So many, evenly over a time, most of them good and quick."""
        dice = self.dice
        return [
            Hit(
                since + dice.random() * length,
                dice.choice(ROUTES),
                "GET",
                dice.choices(STATUSES, WEIGHTS)[0],
                round(dice.lognormvariate(2.3, 0.8), 2),
                900,
                None,
                None,
                "203.0.113.0/24",
                "0" * 24,
            )
            for _ in range(number)
        ]

    async def store(self, hits: Sequence[Hit]) -> float:
        """As the web process does; how many seconds it took."""
        began = perf_counter()
        await rollups.mark(self.database[MARKS], (hit.at for hit in hits))
        for index in range(0, len(hits), 1000):
            some = hits[index : index + 1000]
            await self.database[HITS].insert_many(hit._asdict() for hit in some)
        return perf_counter() - began

    async def search(self, number: int) -> None:
        """So many searches of today, as they are stored."""
        dice, at = self.dice, now()
        midnight = LEVELS[2].floor(at)
        for index in range(0, number, 1000):
            await self.database[COLLECTION].insert_many(
                {
                    "_id": dice.randbytes(16),
                    "at": midnight + dice.random() * (at - midnight),
                    "name": "search",
                    "job_id": None,
                    "referrer": None,
                    "term": f"term {int(TERMS ** dice.random())}",
                    "results": dice.choice((0, 3, 40)),
                }
                for _ in range(min(1000, number - index))
            )

    async def write(self, number: int) -> int:
        """The roll-ups that so many hits would have left, but for the last minute; how many hits
        are in them."""
        there = 0
        for hour in range(24):
            start = self.start + hour * HOUR
            pieces = 60 if hour < 23 else (self.minute - self.hour) // MINUTE
            share = number // 1440 * pieces
            if share:
                await rollups._keep(self.database, LEVELS[1], start, self._tallies(share))
                there += share
        for index in range((self.minute - self.hour) // MINUTE):  # the hour that goes on
            at = self.hour + index * MINUTE
            await rollups._keep(self.database, LEVELS[0], at, self._tallies(number // 1440))
        return there

    def _tallies(self, number: int) -> dict[Key, Tally]:
        keys = [Key(route, "GET", status) for route in ROUTES for status in STATUSES]
        if number < 10_000:
            drawn = self.dice.choices(keys, WEIGHTS * len(ROUTES), k=number)
            counts = Counter(drawn)
        else:
            counts = Counter(keys)
            rest = number - counts.total()
            whole = sum(WEIGHTS) * len(ROUTES)
            for key, weight in zip(keys, WEIGHTS * len(ROUTES), strict=True):
                counts[key] += rest * weight // whole
            counts[keys[0]] += number - counts.total()
        return {key: self._tally(count) for key, count in counts.items()}

    def _tally(self, number: int) -> Tally:
        """Few draws stand for many hits: 400 fill some 50 buckets, where the thousands of a busy
        row would fill 60."""
        draws = min(number, 400)
        times = [self.dice.lognormvariate(2.3, 0.8) for _ in range(draws)]
        whole, more = divmod(number, draws)
        histogram = latency.histogram(times) * whole + latency.histogram(times[:more])
        return Tally(number, number * 13.7, histogram)


async def fetch(client: httpx2.AsyncClient) -> tuple[str, str]:
    """Each as an admin does: its median time in ms and the processor's, in words; the page."""
    words, page = [], ""
    for name, path in PATHS.items():
        walls, spent = [], process_time()
        for _ in range(ASKED):
            began = perf_counter()
            answer = await client.get(path)
            walls.append((perf_counter() - began) * 1000)
            assert answer.status_code == 200, answer.text
            page = answer.text if path == PAGE else page
        processor = (process_time() - spent) / ASKED * 1000
        words.append(f"{name} {median(walls):4.0f} ({processor:3.0f})")
    return "  ".join(words), page


async def run(settings: Settings) -> None:
    """One size after the other, each in collections that are empty but for it."""
    cookie = await filled(settings)
    # Patient, unlike a board's: the engine of `make up` is busy storing, and late for its pings.
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        settings.mongo_url.get_secret_value(), tz_aware=True
    )
    database = mongo.get_default_database(DEFAULT_DATABASE)
    async with serving(settings, headers={"Cookie": cookie}) as client:
        for number in (REAL, *ROLLED_UP):
            with pymongo.timeout(3600):
                day = await _empty_day(database, number)
                since, there = day.start, 0
                if number in ROLLED_UP:
                    there = await day.write(number)
                    since = day.minute
                real = number if number == REAL else number // 1440
                length = (day.minute - since) or MINUTE
                stored = await day.store(day.hits(real, since, length))
                asked = int((there + real) * SEARCHES)
                await day.search(asked)
                searched = await _seconds_to_roll_up_searches(database)
                rolled_up = await _seconds_to_roll_up(database)
            words, page = await fetch(client)
            assert written(asked) in page, f"{asked} are not told"
            same_hour = LEVELS[1].floor(now()) == day.hour
            assert not same_hour or written(there + real) in page, f"{there + real} are not told"
            print(
                f"  {there + real:10,}  {words}   {real:7,} stored in {stored:5.1f} s,"
                f" rolled up in {rolled_up:5.1f} s; {asked:7,} searches in {searched:5.1f} s"
            )
    await mongo.close()


async def _empty_day(database: AsyncDatabase, seed: int) -> Day:
    for name in (HITS, MARKS, COLLECTION, searches.BY_DAY, *(level.collection for level in LEVELS)):
        await database[name].delete_many({})
    return Day(database, random.Random(seed))


async def _seconds_to_roll_up(database: AsyncDatabase) -> float:
    began = perf_counter()
    await rollups.roll_up(database)
    return perf_counter() - began


async def _seconds_to_roll_up_searches(database: AsyncDatabase) -> float:
    began = perf_counter()
    await searches.roll_up(database, ttl_days=90)
    return perf_counter() - began


def main() -> None:
    """Start engines, measure, stop them."""
    print("The last day of 100 routes with 5 statuses each; in ms, and of them this processor's")
    with board() as settings, quiet():
        uvloop.run(run(settings))


if __name__ == "__main__":
    until_no_one_reads(main)
