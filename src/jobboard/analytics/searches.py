"""What people search for, rolled up by day: an answer about a month reads thirty documents.

A worker counts a day anew while it lasts, and for an hour after it, which is more than an event
waits in a buffer; after a longer silence it begins at the day of its last count. The engine adds up
the terms, of which anybody makes as many as they like, and a day keeps those that were searched or
found nothing most.
"""

import heapq
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics.events import COLLECTION as EVENTS
from jobboard.analytics.recorder import keep_for
from jobboard.analytics.rollups import DAY, counted_at, note_counted
from jobboard.analytics.schemas import SearchReport, SearchTerm
from jobboard.clock import first_day, midnight, now

BY_DAY = "searches_by_day"
COUNTED = "searches_counted"
KEPT = 1_000  # terms of a day, in each of the two orders
SHOWN = 100
LATE = timedelta(hours=1)
AT_A_TIME = 4  # days to add up before other requests have their turn
PATIENCE = 120  # seconds for one day


async def roll_up(database: AsyncDatabase, *, ttl_days: int) -> None:
    """Count the searches since the last time. May run twice at once. Raises PyMongoError."""
    began = now()
    await keep_for(database[BY_DAY], days=ttl_days)
    last = await counted_at(database, COUNTED)
    day = midnight(last - LATE) if last else await _first(database)
    while day <= began:
        with pymongo.timeout(PATIENCE):
            counted = await _count(database, day)
            await database[BY_DAY].replace_one({"_id": day}, counted, upsert=True)
        day += DAY
    await note_counted(database, COUNTED, began)


async def _first(database: AsyncDatabase) -> datetime:
    """The day of the first search that is known."""
    first = await database[EVENTS].find_one({"term": {"$gt": ""}}, sort=[("at", 1)])
    return midnight(first["at"] if first else now())


async def _count(database: AsyncDatabase, day: datetime) -> dict[str, Any]:
    nothing = {"$cond": [{"$eq": ["$results", 0]}, 1, 0]}
    pipeline: list[dict[str, Any]] = [
        {"$match": {"term": {"$gt": ""}, "at": {"$gte": day, "$lt": day + DAY}}},
        {
            "$group": {
                "_id": "$term",
                "searches": {"$sum": 1},
                "found_nothing": {"$sum": nothing},
                "results": {"$sum": "$results"},
            }
        },
        {
            "$facet": {
                "top": _most("searches"),
                "in_vain": [{"$match": {"found_nothing": {"$gt": 0}}}, *_most("found_nothing")],
                "total": [
                    {
                        "$group": {
                            "_id": None,
                            "searches": {"$sum": "$searches"},
                            "found_nothing": {"$sum": "$found_nothing"},
                        }
                    }
                ],
            }
        },
    ]
    [found] = await (await database[EVENTS].aggregate(pipeline)).to_list()
    total = found["total"][0] if found["total"] else {"searches": 0, "found_nothing": 0}
    terms = {row["_id"]: row for row in [*found["top"], *found["in_vain"]]}
    return {
        "_id": day,
        "at": day,
        "searches": total["searches"],
        "found_nothing": total["found_nothing"],
        "terms": [{"term": row.pop("_id"), **row} for row in terms.values()],
    }


def _most(field: str) -> list[dict[str, Any]]:
    return [{"$sort": {field: -1, "_id": 1}}, {"$limit": KEPT}]


async def report(database: AsyncDatabase, days: int) -> SearchReport:
    """What people searched for most in so many days, and what of it found nothing."""
    since = first_day(days)
    as_of = await counted_at(database, COUNTED)
    total: defaultdict[str, int] = defaultdict(int)
    terms: dict[str, list[int]] = {}  # searches, in vain, results
    within = {"at": {"$gte": since}}
    async for day in database[BY_DAY].find(within, batch_size=AT_A_TIME):
        for name in ("searches", "found_nothing"):
            total[name] += day[name]
        for row in day["terms"]:
            sums = terms.setdefault(row["term"], [0, 0, 0])
            for place, name in enumerate(("searches", "found_nothing", "results")):
                sums[place] += row[name]
    # Each day brings up to two thousand terms: they are not all sorted to show a hundred.
    by_number = heapq.nsmallest(SHOWN, terms, key=lambda term: (-terms[term][0], term))
    in_vain = heapq.nsmallest(SHOWN, terms, key=lambda term: (-terms[term][1], term))
    return SearchReport(
        since=since,
        as_of=as_of,
        searches=total["searches"],
        found_nothing=total["found_nothing"],
        top=[_term(term, *terms[term]) for term in by_number],
        in_vain=[_term(term, *terms[term]) for term in in_vain if terms[term][1]],
    )


def _term(term: str, searches: int, found_nothing: int, results: int) -> SearchTerm:
    average = round(results / searches, 1)
    return SearchTerm(term=term, searches=searches, found_nothing=found_nothing, results=average)
