"""What was counted, as admins ask for it."""

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.analytics import rollups
from jobboard.settings import Settings
from tests.factories.people import User, make_user
from tests.timing import until

pytestmark = pytest.mark.anyio
HITS = "/api/v1/admin/analytics/hits"


@pytest.fixture
async def admin(session: AsyncSession, settings: Settings) -> User:
    return await make_user(session, settings, Role.ADMIN)


async def counted(app: FastAPI) -> None:
    """All hits so far are stored, and a worker has counted them."""
    recorder = app.state.hits
    await until(lambda: not recorder.buffered)
    await rollups.roll_up(app.state.engines.mongo.database)


async def test_each_request_is_in_the_answer_once(
    app: FastAPI, client: httpx2.AsyncClient, admin: User
) -> None:
    async def ask(**query: Any) -> dict[str, Any]:
        answer = await client.get(HITS, params=query, headers=admin.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    gone = "/api/v1/companies/{id}"
    before = await ask(route=gone)
    for _ in range(3):
        await client.get(gone.format(id="0190b6c1-0000-7000-8000-000000000000"))
    await counted(app)
    after = await ask(route=gone)
    assert after["total"]["count"] == before["total"]["count"] + 3
    row = next(item for item in after["items"] if item["status"] == 404)
    assert (row["route"], row["method"], row["bucket"]) == (gone, "GET", None)
    assert (row["error_share"], row["server_error_share"]) == (1.0, 0.0)
    assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    assert after["step"] == "hour"
    assert after["as_of"] is not None
    assert after["from"] < after["as_of"] < after["to"]
    by_minute = await ask(route=gone, by="all", bucket="minute")
    assert sum(item["count"] for item in by_minute["items"]) == after["total"]["count"]
    assert all(item["route"] is item["status"] is None for item in by_minute["items"])


async def test_a_question_that_makes_no_sense_says_why(
    client: httpx2.AsyncClient, admin: User
) -> None:
    asked = {"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    answer = await client.get(HITS, params=asked, headers=admin.headers)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/from"]
    answer = await client.get(HITS, params={"bucket": "year"}, headers=admin.headers)
    assert answer.status_code == 422
