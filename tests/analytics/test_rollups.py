"""What answers say is what was hit: nothing is lost and nothing counted twice."""

import asyncio
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobboard.analytics import hitreport, latency, rollups
from jobboard.analytics.hits import Hit, shelf
from jobboard.analytics.latency import ERROR, SHORTEST
from jobboard.analytics.recorder import Recorder
from jobboard.analytics.schemas import HitSearch
from jobboard.errors import Invalid
from jobboard.infra.mongo import Mongo
from tests.timing import until

pytestmark = pytest.mark.anyio

# Recent, as MongoDB deletes roll-ups of minutes after two days.
NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)
ROUTES = ("/api/v1/jobs", "/api/v1/jobs/{id}", "/api/v1/tasks")


def hit(at: datetime, *, route: str = ROUTES[0], status: int = 200, ms: float = 5.0) -> Hit:
    return Hit(at, route, "GET", status, ms, 100, None, None, "203.0.113.0/24", "0" * 24)


def traffic(number: int) -> list[Hit]:
    """Hits of some minutes of three hours, on the hour and a moment before it, too."""
    dice = random.Random(7)
    edges = [NOON, NOON + timedelta(hours=1) - timedelta(milliseconds=1)]
    moments = [
        NOON + timedelta(minutes=dice.randrange(0, 180, 20), seconds=dice.uniform(0, 60))
        for _ in range(number)
    ]
    return [
        hit(
            at.replace(microsecond=at.microsecond // 1000 * 1000),  # as MongoDB keeps it
            route=dice.choice(ROUTES),
            status=dice.choice([200, 200, 200, 404, 500]),
            ms=round(dice.lognormvariate(3, 1), 2),
        )
        for at in [*edges, *moments]
    ]


async def store(mongo: Mongo, hits: list[Hit]) -> None:
    """As the web process does."""
    recorder = Recorder("hits")
    recorder.start(shelf(mongo.database, ttl_days=3650))
    for each in hits:
        recorder.record(each)
    await until(lambda: recorder.stored == len(hits), seconds=60)
    await recorder.close()


async def ask(mongo: Mongo, **query: Any) -> list[dict[str, Any]]:
    asked = HitSearch.model_validate({"from": NOON, "to": NOON + timedelta(hours=3), **query})
    report = await hitreport.report(mongo.database, asked)
    assert report.total.count == sum(item.count for item in report.items)
    return [item.model_dump() for item in report.items]


def nearest_rank(times: list[float], share: float) -> float:
    return sorted(times)[math.ceil(share * len(times)) - 1]


async def test_answers_are_the_hits_by_every_grouping(mongo: Mongo) -> None:
    hits = traffic(600)
    await store(mongo, hits)
    await rollups.roll_up(mongo.database)
    for bucket in ("minute", "hour", "day"):
        items = await ask(mongo, bucket=bucket)
        level = rollups.BY_NAME[bucket]
        counted = {(i["bucket"], i["route"], i["status"]): i["count"] for i in items}
        assert counted == Counter((level.floor(h.at), h.route, h.status) for h in hits), bucket
        assert [item["bucket"] for item in items] == sorted(item["bucket"] for item in items)
    items = await ask(mongo, by="route")
    assert [item["count"] for item in items] == sorted(
        Counter(h.route for h in hits).values(), reverse=True
    )
    for item in items:
        own = [h for h in hits if h.route == item["route"]]
        failed = sum(h.status >= 400 for h in own) / len(own)
        broken = sum(h.status >= 500 for h in own) / len(own)
        assert item["error_share"] == pytest.approx(failed, abs=1e-4)
        assert item["server_error_share"] == pytest.approx(broken, abs=1e-4)
        assert item["mean_ms"] == pytest.approx(sum(h.ms for h in own) / len(own), abs=0.01)
        for share in (0.5, 0.95, 0.99):
            exact = nearest_rank([h.ms for h in own], share)
            assert item[f"p{share * 100:.0f}_ms"] == pytest.approx(exact, rel=ERROR + 0.001)
    assert [i["count"] for i in await ask(mongo, by="all", status=500, route=ROUTES[1])] == [
        sum(h.status == 500 and h.route == ROUTES[1] for h in hits)
    ]


async def test_two_workers_at_once_and_late_hits_count_each_once(mongo: Mongo) -> None:
    first, late = traffic(120), [hit(NOON + timedelta(minutes=m)) for m in range(20)]
    await store(mongo, first)
    await asyncio.gather(*(rollups.roll_up(mongo.database) for _ in range(3)))
    await asyncio.gather(store(mongo, late), rollups.roll_up(mongo.database))
    await asyncio.gather(*(rollups.roll_up(mongo.database) for _ in range(3)))
    for bucket in ("minute", "hour", "day"):
        items = await ask(mongo, bucket=bucket, by="all")
        assert sum(item["count"] for item in items) == len(first) + len(late), bucket


async def test_an_older_count_never_replaces_a_later_one(mongo: Mongo) -> None:
    """A worker that was slow: it read the hits before others came, and stores what it read last."""
    await store(mongo, [hit(NOON), hit(NOON)])
    before = await rollups._of_hits(mongo.database, NOON)
    await store(mongo, [hit(NOON)])
    await rollups.roll_up(mongo.database)
    await rollups._keep(mongo.database, rollups.LEVELS[0], NOON, before)
    assert [item["count"] for item in await ask(mongo, bucket="minute")] == [3]


async def test_a_mark_outlives_a_count_until_its_batch_is_stored_or_never_will_be(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = mongo.database[rollups.MARKS]
    await rollups.mark(marks, [NOON])
    await rollups.roll_up(mongo.database)  # before the batch is stored
    await mongo.database[rollups.HITS].insert_one(hit(NOON)._asdict())
    await rollups.roll_up(mongo.database)
    assert [item["count"] for item in await ask(mongo)] == [1]
    assert await marks.count_documents({}) == 1
    monkeypatch.setattr(rollups, "SETTLED", timedelta())
    await asyncio.sleep(0.002)  # MongoDB keeps milliseconds
    await rollups.roll_up(mongo.database)
    assert await marks.count_documents({}) == 0


async def test_after_a_silence_the_latest_minutes_are_counted_first(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = NOON + timedelta(hours=1)
    await store(mongo, [hit(NOON), hit(later)])
    monkeypatch.setattr(rollups, "AT_ONCE", 1)
    for before, counted in ((None, [later]), (later, [NOON, later])):
        await rollups._one_round(mongo.database, before)
        assert [item["bucket"] for item in await ask(mongo, bucket="minute")] == counted


async def test_roll_ups_name_nobody_and_end(mongo: Mongo) -> None:
    await store(mongo, [hit(NOON)._replace(person_id="a-person")])
    await rollups.roll_up(mongo.database)
    for level in rollups.LEVELS:
        kept = mongo.database[level.collection]
        document = await kept.find_one({})
        assert document is not None
        assert set(document) == {"_id", "at", "count", "rows"}
        [row] = document["rows"]
        assert set(row) == {"route", "method", "status", "count", "ms", "times"}
        index = (await kept.index_information())["at_ttl"]
        assert index["expireAfterSeconds"] == level.days * 86_400


async def test_without_a_step_the_answer_chooses_one_and_says_so(mongo: Mongo) -> None:
    steps = {timedelta(hours=2): "minute", timedelta(days=1): "hour", timedelta(days=30): "day"}
    for length, step in steps.items():
        asked = HitSearch.model_validate({"from": NOON, "to": NOON + length})
        report = await hitreport.report(mongo.database, asked)
        assert (report.step, report.items, report.total.p95_ms) == (step, [], None)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": NOON, "to": NOON}, "before the end"),
        ({"from": NOON, "to": NOON + timedelta(days=2), "bucket": "minute"}, "at most 1 day can"),
    ],
)
async def test_too_long_or_no_time_is_refused(
    mongo: Mongo, query: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        await hitreport.report(mongo.database, HitSearch.model_validate(query))
    assert refused.value.errors[0].pointer == "/query/from"


TIMES = st.lists(st.floats(SHORTEST, 1e6), min_size=1, max_size=200)


@given(TIMES, st.lists(st.floats(0.01, 1), min_size=1, max_size=4))
def test_a_percentile_is_as_near_as_promised(times: list[float], shares: list[float]) -> None:
    found = latency.percentiles(latency.histogram(times), sorted(shares))
    exact = [nearest_rank(times, share) for share in sorted(shares)]
    assert found == pytest.approx(exact, rel=ERROR + 0.006)


@given(TIMES, TIMES)
def test_histograms_add_up_and_are_stored_whole(some: list[float], others: list[float]) -> None:
    both = latency.histogram(some) + latency.histogram(others)
    assert both == latency.histogram(some + others)
    assert latency.unpacked(latency.packed(both)) == both


def test_nothing_has_no_percentile_and_no_time_is_too_odd_to_count() -> None:
    assert latency.percentiles(0, [0.5, 0.9]) == [None, None]
    assert latency.unpacked(latency.packed(0)) == 0
    odd = latency.histogram([0.0, -1.0, math.nan, math.inf])
    assert latency.percentiles(odd, [0.5, 1]) == pytest.approx([0.1, 1e8], rel=ERROR + 0.001)
