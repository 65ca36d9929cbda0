"""Questions go to their documents by an index, and what names a time ends by itself."""

from datetime import timedelta
from typing import Any

import pymongo
import pytest

from jobboard.analytics import events, hits, rollups
from jobboard.analytics.recorder import CAPACITY, Recorder, Shelf
from jobboard.clock import now
from jobboard.infra.mongo import Mongo
from tests.analytics.test_rollups import hit
from tests.timing import until

pytestmark = pytest.mark.anyio

LATELY = {"$gte": now() - timedelta(minutes=1), "$lt": now()}
QUESTIONS: list[tuple[str, dict[str, Any], str]] = [
    (rollups.HITS, {"at": LATELY}, "at_ttl"),  # a minute to count
    (rollups.HITS, {"person_id": "a-person"}, "of_person"),  # an export
    (events.COLLECTION, {"job_id": "a-job", "at": LATELY}, "of_job"),  # its numbers
    (events.COLLECTION, {"job_id": "a-job", "name": "view", "at": LATELY}, "job_and_name"),
    *[(level.collection, {"at": LATELY}, "at_ttl") for level in rollups.LEVELS],
]


async def test_each_question_has_its_index_and_each_document_its_end(mongo: Mongo) -> None:
    at = now()
    event = events.Event(b"1" * 16, at, "view", "a-job")
    await _store(hits.shelf(mongo.database, ttl_days=30), hit(at)._replace(person_id="a-person"))
    await _store(events.shelf(mongo.database, ttl_days=400), event)
    with pymongo.timeout(60):
        await rollups.roll_up(mongo.database)
        for name, question, index in QUESTIONS:
            plan = (await mongo.database[name].find(question).explain())["queryPlanner"]
            assert f"'indexName': '{index}'" in str(plan["winningPlan"]), (name, question)
        lives = {
            name: days * 86_400 for name, days in ((rollups.HITS, 30), (events.COLLECTION, 400))
        }
        for name, seconds in lives.items():
            indexes = await mongo.database[name].index_information()
            assert indexes["at_ttl"]["expireAfterSeconds"] == seconds
        assert "searched" in await mongo.database[events.COLLECTION].index_information()


async def _store(shelf: Shelf, entry: Any) -> None:
    recorder = Recorder("one")
    recorder.start(shelf)
    recorder.record(entry)
    await until(lambda: recorder.stored and recorder.indexed, seconds=60)
    await recorder.close()


def test_fifty_thousand_may_wait() -> None:
    assert CAPACITY == 50_000
