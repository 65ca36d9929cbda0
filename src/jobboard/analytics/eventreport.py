"""What became of a job in the eyes of people, and what they searched for, from the events."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics.events import COLLECTION, Name
from jobboard.analytics.schemas import Referrer, SearchReport, SearchTerm
from jobboard.clock import now

TERMS = 100


def first_day(days: int) -> datetime:
    """The midnight that `days` days, today among them, began with."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)


async def of_job(
    database: AsyncDatabase, job_id: UUID, since: datetime
) -> tuple[dict[date, dict[str, int]], list[Referrer]]:
    """How often what happened on which day; and the sites that led to views, most first."""
    match = {"job_id": str(job_id), "at": {"$gte": since}}
    group = {
        "_id": {
            "day": {"$dateTrunc": {"date": "$at", "unit": "day"}},
            "name": "$name",
            "referrer": "$referrer",
        },
        "count": {"$sum": 1},
    }
    days: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    referrers: dict[str | None, int] = defaultdict(int)
    async for row in await database[COLLECTION].aggregate([{"$match": match}, {"$group": group}]):
        key, count = row["_id"], row["count"]
        days[key["day"].date()][key["name"]] += count
        if key["name"] == Name.VIEW:
            referrers[key.get("referrer")] += count
    most = sorted(referrers.items(), key=lambda each: (-each[1], each[0] or ""))
    return days, [Referrer(host=host, views=views) for host, views in most]


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
    """What people searched for most, and what of it found nothing."""
    since = first_day(days)
    nothing = {"$cond": [{"$eq": ["$results", 0]}, 1, 0]}
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
    ]
    rows = await (await database[COLLECTION].aggregate(pipeline)).to_list()
    every = [SearchTerm(term=row.pop("_id"), **row) for row in rows]
    in_vain = [term for term in every if term.found_nothing]
    return SearchReport(
        since=since,
        searches=sum(term.searches for term in every),
        found_nothing=sum(term.found_nothing for term in every),
        top=sorted(every, key=lambda term: (-term.searches, term.term))[:TERMS],
        in_vain=sorted(in_vain, key=lambda term: (-term.found_nothing, term.term))[:TERMS],
    )
