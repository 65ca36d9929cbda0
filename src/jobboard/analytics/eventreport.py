"""What became of a job in the eyes of people, and what they searched for, from the events."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics.events import APPLIED, COLLECTION, Name
from jobboard.analytics.schemas import Referrer, SearchReport, SearchTerm
from jobboard.clock import now

TERMS = HOSTS = 100
LED_TO = {"views": Name.VIEW, "opens": Name.OPEN, "applies": APPLIED}


def first_day(days: int) -> datetime:
    """The midnight that `days` days, today among them, began with."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)


async def of_job(
    database: AsyncDatabase, job_id: UUID, since: datetime
) -> tuple[dict[date, dict[str, int]], list[Referrer]]:
    """How often what happened on which day; and the sites that led to views, opens of the form and
    applications, those with most views first, 100 at most: whoever asks for a page names a site."""
    match = {"job_id": str(job_id), "at": {"$gte": since}}
    day = {"$dateTrunc": {"date": "$at", "unit": "day"}}
    by_day = {"_id": {"day": day, "name": "$name"}, "count": {"$sum": 1}}
    by_host = {"_id": "$referrer", **{field: _times(name) for field, name in LED_TO.items()}}
    led = [{"$match": {"name": {"$in": [*LED_TO.values()]}}}, {"$group": by_host}]
    parts = {"days": [{"$group": by_day}], "hosts": [*led, *_most("views", HOSTS)]}
    asked = await database[COLLECTION].aggregate([{"$match": match}, {"$facet": parts}])
    [found] = await asked.to_list()
    days: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in found["days"]:
        days[row["_id"]["day"].date()][row["_id"]["name"]] = row["count"]
    return days, [Referrer(host=row.pop("_id"), **row) for row in found["hosts"]]


def _times(name: str) -> dict[str, Any]:
    return {"$sum": {"$cond": [{"$eq": ["$name", name]}, 1, 0]}}


def _most(field: str, number: int) -> list[dict[str, Any]]:
    return [{"$sort": {field: -1, "_id": 1}}, {"$limit": number}]


async def views(database: AsyncDatabase, job_ids: Sequence[UUID], days: int) -> dict[UUID, int]:
    """How often each of these jobs was read in the last `days`. All are asked for at once, each by
    itself: SecantusDB takes four times as long for one question about several jobs."""
    since = {"$gte": first_day(days)}
    counts = await asyncio.gather(
        *(
            database[COLLECTION].count_documents(
                {"job_id": str(job_id), "name": Name.VIEW, "at": since}
            )
            for job_id in job_ids
        )
    )
    return dict(zip(job_ids, counts, strict=True))


async def searches(database: AsyncDatabase, days: int) -> SearchReport:
    """What people searched for most, and what of it found nothing.

    Whoever searches makes terms, so there may be any number of them: the engine adds them up, and
    no more than are shown come from there.
    """
    since = first_day(days)
    nothing = {"$cond": [{"$eq": ["$results", 0]}, 1, 0]}
    sums = {name: {"$sum": f"${name}"} for name in ("searches", "found_nothing")}
    pipeline: list[dict[str, Any]] = [
        {"$match": {"term": {"$gt": ""}, "at": {"$gte": since}}},
        {
            "$group": {
                "_id": "$term",
                "searches": {"$sum": 1},
                "found_nothing": {"$sum": nothing},
                "results": {"$avg": "$results"},
            }
        },
        {
            "$facet": {
                "top": _most("searches", TERMS),
                "in_vain": [
                    {"$match": {"found_nothing": {"$gt": 0}}},
                    *_most("found_nothing", TERMS),
                ],
                "total": [{"$group": {"_id": None, **sums}}],
            }
        },
    ]
    [found] = await (await database[COLLECTION].aggregate(pipeline)).to_list()
    total = found["total"][0] if found["total"] else {"searches": 0, "found_nothing": 0}
    return SearchReport(
        since=since,
        searches=total["searches"],
        found_nothing=total["found_nothing"],
        top=[_term(row) for row in found["top"]],
        in_vain=[_term(row) for row in found["in_vain"]],
    )


def _term(row: dict[str, Any]) -> SearchTerm:
    return SearchTerm(term=row.pop("_id"), **row)
