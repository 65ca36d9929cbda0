"""No hit is unaccounted for, and no request waits for MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure
from structlog.testing import capture_logs

from jobboard.analytics import recorder as recorders
from jobboard.analytics.hits import OF_PERSON, Hit, truncated
from jobboard.analytics.recorder import BATCH, DRAIN_SECONDS, Collection, Recorder, Shelf
from jobboard.analytics.visitors import referrer_host
from jobboard.clock import now
from jobboard.settings import Settings
from tests.timing import least_seconds, until

pytestmark = pytest.mark.anyio


def hit(number: int = 0) -> Hit:
    """Any hit."""
    return Hit(
        at=now(),
        route="/api/v1/jobs/{id}",
        method="GET",
        status=200,
        ms=1.5,
        bytes=1200,
        person_id=None,
        key_id=None,
        address="203.0.113.0/24",
        request_id=f"{number:024x}",
    )


class FakeCollection:
    """Stands in for MongoDB where the test decides how it fails."""

    def __init__(self) -> None:
        self.documents: dict[Any, dict[str, Any]] = {}
        self.failures: list[Exception] = []
        self.index_failures: list[Exception] = []
        self.indexes: list[str] = []
        self.hangs = self.indexing_hangs = self.swallows = False

    def shelf(self) -> Shelf:
        """This, as where to store."""
        return Shelf(self, 30)  # ty: ignore[invalid-argument-type] - a stand-in

    async def create_index(self, keys: Any, **options: Any) -> None:
        if self.indexing_hangs:
            await self._hang()
        if self.index_failures:
            raise self.index_failures.pop(0)
        self.indexes.append(options.get("name", "other"))

    async def insert_many(self, documents: list[dict[str, Any]], *, ordered: bool) -> None:
        assert not ordered
        if self.hangs:
            await self._hang()
        self._fail()
        self.documents |= {document["_id"]: document for document in documents}

    async def _hang(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if self.swallows:
                await asyncio.sleep(3600)
            raise

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
async def fake() -> FakeCollection:
    return FakeCollection()


@pytest.fixture
async def hits(settings: Settings) -> AsyncIterator[Collection]:
    """A collection of the real engine."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        settings.mongo_url.get_secret_value(), tz_aware=True
    )
    collection = client.get_default_database()["hits_of_a_test"]
    yield collection
    await collection.drop()
    await client.close()


def balanced(recorder: Recorder) -> bool:
    return recorder.received == sum(
        (recorder.stored, recorder.known, recorder.dropped, recorder.buffered)
    )


async def test_hits_reach_mongo_with_an_end_of_life(hits: Collection) -> None:
    recorder = Recorder("hits")
    recorder.start(Shelf(hits, 30, [OF_PERSON]))
    for number in range(BATCH + 5):
        recorder.record(hit(number))
    await until(lambda: recorder.stored == BATCH + 5 and recorder.indexed)
    await recorder.close()
    assert await hits.count_documents({}) == BATCH + 5
    stored = await hits.find_one({"request_id": hit(3).request_id})
    assert stored is not None
    assert {**stored, "_id": None, "at": None} == {**hit(3)._asdict(), "_id": None, "at": None}
    assert stored["at"].utcoffset() is not None
    indexes = await hits.index_information()
    assert indexes["at_ttl"]["expireAfterSeconds"] == 30 * 86_400
    assert "of_person" in indexes
    assert balanced(recorder)


async def test_a_new_life_span_replaces_the_old(hits: Collection) -> None:
    for days in (30, 7):
        recorder = Recorder("hits")
        recorder.start(Shelf(hits, days))
        await until(lambda r=recorder: r.indexed)
        await recorder.close()
    assert (await hits.index_information())["at_ttl"]["expireAfterSeconds"] == 7 * 86_400


async def test_writing_does_not_wait_for_indexes(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    fake.indexing_hangs = True
    recorder.start(fake.shelf())
    recorder.record(hit())
    await until(lambda: recorder.stored == 1)
    assert not recorder.indexed
    await recorder.close()


async def test_an_entry_that_bson_refuses_stops_no_other(hits: Collection) -> None:
    recorder = Recorder("hits")
    recorder.start(Shelf(hits, 30))
    recorder.record(hit(1)._replace(bytes=2**64))
    recorder.record(hit(2)._replace(route="/\udcff"))
    recorder.record(hit(3))
    await until(lambda: recorder.stored == 1)
    assert (recorder.dropped, recorder.buffered) == (2, 0)
    assert balanced(recorder)
    await recorder.close()


async def test_a_single_hit_does_not_wait_for_a_full_batch(hits: Collection) -> None:
    recorder = Recorder("hits")
    recorder.start(Shelf(hits, 30, [OF_PERSON]))
    recorder.record(hit())
    await until(lambda: recorder.stored == 1)
    assert await hits.count_documents({}) == 1
    await recorder.close()


async def test_what_no_longer_fits_is_dropped_and_counted(fake: FakeCollection) -> None:
    recorder = Recorder("hits", capacity=10)
    fake.hangs = True
    recorder.start(fake.shelf())
    for number in range(25):
        recorder.record(hit(number))
    await asyncio.sleep(0.05)
    assert (recorder.received, recorder.dropped, recorder.buffered) == (25, 15, 10)
    assert balanced(recorder)


async def test_without_mongo_all_are_dropped_at_once() -> None:
    recorder = Recorder("hits")
    recorder.record(hit())
    assert (recorder.received, recorder.dropped, recorder.buffered) == (1, 1, 0)
    await recorder.close()


async def test_they_wait_while_mongo_is_gone_and_are_stored_once(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    recorder.start(fake.shelf())
    await until(lambda: recorder.indexed)
    fake.indexes = []
    fake.failures = [AutoReconnect("gone"), AutoReconnect("gone")]
    with capture_logs() as lines:
        for number in range(BATCH * 2):
            recorder.record(hit(number))
        await asyncio.sleep(0.1)
        assert recorder.stored == 0
        assert balanced(recorder)
        await until(lambda: recorder.stored == BATCH * 2)
    assert [line["event"] for line in lines] == ["recorder.mongo_silent", "recorder.mongo_answers"]
    assert len(fake.documents) == BATCH * 2
    await until(lambda: bool(fake.indexes))  # it may have come back empty
    await recorder.close()


async def test_what_mongo_had_before_counts_apart(fake: FakeCollection) -> None:
    recorder = Recorder("events")
    fake.failures = [BulkWriteError({"writeErrors": [{"index": 0, "code": 11000}]})]
    recorder.start(fake.shelf())
    recorder.record(hit(1))
    recorder.record(hit(2))
    await until(lambda: recorder.stored == 1)
    assert (recorder.known, recorder.dropped) == (1, 0)
    assert balanced(recorder)
    await recorder.close()


async def test_an_answer_that_got_lost_does_not_store_twice(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    duplicates = BulkWriteError({"writeErrors": [{"index": 0, "code": 11000}]})
    fake.failures = [AutoReconnect("gone"), duplicates]
    recorder.start(fake.shelf())
    for number in range(3):
        recorder.record(hit(number))
    await until(lambda: recorder.stored == 3)
    assert (recorder.known, recorder.dropped) == (0, 0)
    await recorder.close()


async def test_a_document_that_mongo_refuses_is_counted_as_dropped(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    recorder.start(fake.shelf())
    recorder.record(hit(1))
    await until(lambda: recorder.stored == 1)
    fake.failures = [BulkWriteError({"writeErrors": [{"index": 0, "code": 121}]})]
    recorder.record(hit(2))
    recorder.record(hit(3))
    await until(lambda: recorder.buffered == 0)
    assert (recorder.stored, recorder.dropped) == (2, 1)
    await recorder.close()


async def test_closing_writes_what_is_left(
    hits: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "DRAIN_SECONDS", 30)  # a busy machine is no reason to drop
    recorder = Recorder("hits")
    recorder.start(Shelf(hits, 30, [OF_PERSON]))
    for number in range(1_200):
        recorder.record(hit(number))
    await recorder.close()
    assert (recorder.stored, recorder.dropped, recorder.buffered) == (1_200, 0, 0)
    assert await hits.count_documents({}) == 1_200


async def test_closing_tries_once_more(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    fake.failures = [AutoReconnect("gone")]
    recorder.start(fake.shelf())
    recorder.record(hit())
    await recorder.close()
    assert (recorder.stored, recorder.dropped, len(fake.documents)) == (1, 0, 1)


async def test_an_index_that_cannot_be_made_keeps_nothing_from_being_stored(
    fake: FakeCollection,
) -> None:
    recorder = Recorder("hits")
    fake.index_failures = [OperationFailure("not authorized", code=13)]
    with capture_logs() as lines:
        recorder.start(fake.shelf())
        recorder.record(hit())
        await until(lambda: recorder.stored == 1 and lines)
        await recorder.close()
    assert [(line["event"], line["error"]) for line in lines] == [
        ("recorder.not_indexed", "OperationFailure")
    ]
    assert not recorder.indexed


async def test_closing_does_not_wait_long_for_a_mongo_that_hangs(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    fake.hangs = True
    recorder.start(fake.shelf())
    recorder.record(hit())
    started = perf_counter()
    await recorder.close()
    assert perf_counter() - started < DRAIN_SECONDS + 1
    assert (recorder.stored, recorder.dropped, recorder.buffered) == (0, 1, 0)


async def test_closing_ends_also_when_the_driver_swallows_a_cancellation(
    fake: FakeCollection,
) -> None:
    recorder = Recorder("hits")
    fake.hangs = fake.indexing_hangs = fake.swallows = True
    recorder.start(fake.shelf())
    recorder.record(hit())
    await recorder.close()
    assert (recorder.stored, recorder.dropped, recorder.buffered) == (0, 1, 0)


async def test_recording_takes_no_time_to_speak_of(fake: FakeCollection) -> None:
    recorder = Recorder("hits")
    fake.hangs = True
    recorder.start(fake.shelf())
    one = hit()

    def record_ten_thousand() -> None:
        for _ in range(10_000):
            recorder.record(one)

    assert least_seconds(record_ten_thousand, enough=1) < 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("testclient", ""),
        ("", ""),
    ],
)
async def test_addresses_are_truncated(address: str, network: str) -> None:
    assert truncated(address) == network


def test_the_site_of_an_address_that_is_none() -> None:
    assert referrer_host("https://www.news.example/a?b=c", "https://jobs.example") == "news.example"
    for own_or_none in ("https://jobs.example/x", "http://[", "nowhere", None):
        assert referrer_host(own_or_none, "https://jobs.example") is None
