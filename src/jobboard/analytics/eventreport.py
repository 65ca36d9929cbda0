"""What became of a job in the eyes of people, from the events."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics.events import APPLIED, COLLECTION, Name
from jobboard.analytics.schemas import Referrer
from jobboard.clock import first_day

HOSTS = 100
LED_TO = {"views": Name.VIEW, "opens": Name.OPEN, "applies": APPLIED}


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
