"""What people search for: counted by day, however late and however often a worker counts."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from operator import add

import pytest

from jobboard.analytics import rollups, searches
from jobboard.analytics.events import COLLECTION
from jobboard.analytics.schemas import SearchReport
from jobboard.clock import first_day, midnight, now
from jobboard.infra.mongo import Mongo

pytestmark = pytest.mark.anyio


async def search(mongo: Mongo, at: datetime, terms: str, results: int = 1) -> None:
    await mongo.database[COLLECTION].insert_many(
        {"at": at, "name": "search", "term": term, "results": results} for term in terms.split()
    )


async def count(mongo: Mongo) -> None:
    await searches.roll_up(mongo.database, ttl_days=90)


def numbers(report: SearchReport) -> Counter[str]:
    assert report.searches == sum(term.searches for term in report.top)
    return Counter({term.term: term.searches for term in report.top})


async def test_days_add_up_and_a_period_ends_at_its_midnight(mongo: Mongo) -> None:
    await search(mongo, now(), "baker baker nurse", 4)
    await search(mongo, first_day(2), "baker cook", 1)
    await search(mongo, first_day(2) - timedelta(milliseconds=1), "smith", 0)
    await count(mongo)
    days = [await searches.report(mongo.database, each) for each in (1, 2, 3)]
    assert numbers(days[0]) == {"baker": 2, "nurse": 1}
    assert numbers(days[1]) == {"baker": 3, "nurse": 1, "cook": 1}
    assert numbers(days[2]) == {"baker": 3, "nurse": 1, "cook": 1, "smith": 1}
    assert [term.results for term in days[1].top] == [3.0, 1.0, 4.0]
    assert [term.term for term in days[2].in_vain] == ["smith"]


async def test_what_comes_late_is_counted_once(mongo: Mongo) -> None:
    await search(mongo, first_day(3), "baker")
    await asyncio.gather(*(count(mongo) for _ in range(3)))
    # As if no worker had counted since.
    state = mongo.database[rollups.STATE]
    long_ago = {"$set": {"at": first_day(3) + searches.LATE}}
    await state.update_one({"_id": searches.COUNTED}, long_ago)
    await search(mongo, first_day(3), "baker")
    await search(mongo, first_day(2), "baker")
    await search(mongo, now(), "baker")
    await asyncio.gather(*(count(mongo) for _ in range(3)))
    assert numbers(await searches.report(mongo.database, 3)) == {"baker": 4}


async def test_yesterday_is_counted_until_its_last_events_have_come(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = midnight(now())
    for minutes in (-1, 30, 59):
        monkeypatch.setattr(searches, "now", partial(add, today, timedelta(minutes=minutes)))
        await search(mongo, today - timedelta(minutes=2), "baker")
        await count(mongo)
    assert numbers(await searches.report(mongo.database, 2)) == {"baker": 3}


async def test_nobody_has_counted(mongo: Mongo) -> None:
    await search(mongo, now(), "baker")
    report = await searches.report(mongo.database, 30)
    assert (report.as_of, report.searches, report.top) == (None, 0, [])
    await count(mongo)
    assert (await searches.report(mongo.database, 30)).as_of is not None
