"""What was counted, as admins ask for it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.analytics import rollups, searches
from jobboard.analytics.events import COLLECTION
from jobboard.clock import now
from jobboard.infra.mongo import Mongo
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.timing import stored

pytestmark = pytest.mark.anyio
HITS = "/api/v1/admin/analytics/hits"


@pytest.fixture
async def admin(session: AsyncSession, settings: Settings) -> User:
    return await make_user(session, settings, Role.ADMIN)


async def counted(app: FastAPI) -> None:
    """All hits so far are stored, and a worker has counted them."""
    recorder = app.state.hits
    await stored(recorder)
    await rollups.roll_up(app.state.engines.mongo.database)


async def test_each_request_is_in_the_answer_once(
    app: FastAPI, client: httpx2.AsyncClient, admin: User
) -> None:
    async def ask(**query: Any) -> dict[str, Any]:
        answer = await client.get(HITS, params=query, headers=admin.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    gone = "/api/v1/companies/{id}"
    await counted(app)  # what other tests asked
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


EVENTS = "/api/v1/analytics/events"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"}


async def noted(app: FastAPI) -> list[dict[str, Any]]:
    """The events of this test, stored."""
    recorder = app.state.events.recorder
    await stored(recorder)
    return await app.state.engines.mongo.database[COLLECTION].find().to_list()


@pytest.fixture
async def job(app: FastAPI, session: AsyncSession, cast: Cast) -> Job:
    """A live job of the employer, and no events."""
    await noted(app)
    await app.state.engines.mongo.database[COLLECTION].delete_many({})
    return await make_job(session, cast.employer, cast.company)


async def test_a_job_in_numbers(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, job: Job, session: AsyncSession
) -> None:
    async def tell(name: str, agent: str = "", **properties: Any) -> None:
        headers = BROWSER | ({"User-Agent": agent} if agent else {})
        sent = await client.post(
            EVENTS, json={"name": name, "properties": properties}, headers=headers
        )
        assert sent.status_code == 202, sent.text

    other = await make_job(session, cast.employer, cast.company)
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    ids = [str(each.id) for each in (job, other, draft)]
    for agent in ("Mozilla/5.0 One", "Mozilla/5.0 Two"):
        for _ in range(2):  # a second time on the same day is not another person
            await tell("impression", agent, job_ids=ids)
            await tell("view", agent, job_id=ids[0], referrer="https://www.news.example/a?b=c")
    await tell("view", job_id=ids[0], referrer="http://127.0.0.1:8000/?q=baker")
    await tell("open", job_id=ids[0])
    applied = f"/api/v1/jobs/{ids[0]}/applications"
    letter = {"cover_letter": "Dear all"}
    sent = await client.post(applied, json=letter, headers=cast.candidate.headers)
    assert sent.status_code == 201
    events = await noted(app)
    assert {event["job_id"] for event in events} == set(ids[:2])
    answer = await client.get(
        f"/api/v1/jobs/{ids[0]}/analytics", params={"days": 7}, headers=cast.employer.headers
    )
    assert answer.status_code == 200, answer.text
    numbers = answer.json()
    assert numbers["total"] == {"impressions": 2, "views": 3, "opens": 1, "applies": 1}
    assert numbers["items"][-1] == numbers["total"] | {"day": numbers["to"]}
    assert len(numbers["items"]) == 7
    assert numbers["referrers"] == [
        {"host": "news.example", "views": 2, "opens": 0, "applies": 0},
        {"host": None, "views": 1, "opens": 1, "applies": 1},
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"DNT": "1"},
        {"Sec-GPC": "1"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": ""},
    ],
)
async def test_who_is_not_to_be_counted_is_not(
    app: FastAPI, client: httpx2.AsyncClient, job: Job, headers: dict[str, str]
) -> None:
    body = {"name": "view", "properties": {"job_id": str(job.id)}}
    sent = await client.post(EVENTS, json=body, headers=BROWSER | headers)
    await client.get("/api/v1/jobs", params={"q": "baker"}, headers=BROWSER | headers)
    await client.get(f"/jobs/{job.slug}", headers=BROWSER | headers)
    await client.get("/", params={"q": "baker"}, headers=BROWSER | headers)
    assert sent.status_code == 202
    assert await noted(app) == []


async def test_without_a_script_the_page_counts_and_never_twice(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    for headers in (BROWSER, BROWSER | {"Referer": "https://news.example/"}):
        page = await client.get(f"/jobs/{job.slug}", headers=headers)
        assert page.status_code == 200
    body = {"name": "view", "properties": {"job_id": str(job.id)}}
    await client.post(EVENTS, json=body, headers=BROWSER)
    await client.get(f"/jobs/{job.slug}", headers={"User-Agent": "curl/8.5"})
    [event] = await noted(app)
    assert (event["name"], event["job_id"]) == ("view", str(job.id))


async def test_an_event_names_nobody(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    """So there is nothing to hand out in an export, and nothing to erase with an account."""
    headers = BROWSER | cast.candidate.headers
    body = {"name": "open", "properties": {"job_id": str(job.id), "referrer": "https://x.example"}}
    await client.post(EVENTS, json=body, headers=headers)
    await client.get("/api/v1/jobs", params={"q": "baker"}, headers=headers)
    events = await noted(app)
    for event in events:
        assert set(event) == {"_id", "at", "name", "job_id", "referrer", "term", "results"}
    told = str(events)
    assert len({event["_id"] for event in events}) == 2
    for private in (str(cast.candidate.id), "127.0.0.1", "Firefox", cast.candidate.actor.email):
        assert private not in told


async def test_searches_and_what_found_nothing(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    for words in (
        "Lamplighter ",
        "lamplighter",
        "kim@example.com",
        "call 0171 555 01 01",
        "x" * 90,
    ):
        await client.get("/api/v1/jobs", params={"q": words}, headers=BROWSER)
    await client.get("/", params={"q": job.title}, headers=BROWSER)
    await noted(app)
    await searches.roll_up(app.state.engines.mongo.database, ttl_days=90)
    path = "/api/v1/admin/analytics/searches"
    answer = await client.get(path, headers=cast.admin.headers)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert {term["term"] for term in report["top"]} == {"lamplighter", job.title.lower()}
    assert report["in_vain"] == [
        {"term": "lamplighter", "searches": 1, "found_nothing": 1, "results": 0.0}
    ]
    assert (report["searches"], report["found_nothing"]) == (2, 1)


async def test_terms_without_end_are_added_up_and_the_most_shown(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    """Anybody makes as many terms as they like, with random words to search for."""
    events = app.state.engines.mongo.database[COLLECTION]
    await events.insert_many(
        {"at": now(), "name": "search", "term": f"{number:03}", "results": number % 2}
        for number in [*range(150), 7, 8, 8]
    )
    await searches.roll_up(app.state.engines.mongo.database, ttl_days=90)
    path = "/api/v1/admin/analytics/searches"
    report = (await client.get(path, headers=cast.admin.headers)).json()
    assert (report["searches"], report["found_nothing"]) == (153, 77)
    assert (len(report["top"]), len(report["in_vain"])) == (100, 75)
    assert [term["term"] for term in report["top"][:3]] == ["008", "007", "000"]
    assert [term["term"] for term in report["in_vain"][:2]] == ["008", "000"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "view", "properties": {}}, "/properties/job_id"),
        ({"name": "smile", "properties": {"job_id": str(UUID(int=7))}}, "/name"),
        ({"name": "view", "properties": {"job_id": "7"}}, "/properties/job_id"),
        ({"name": "view", "properties": {"job_ids": [str(UUID(int=7))]}}, "/properties/job_ids"),
        ({"name": "view", "properties": {"job_id": str(UUID(int=7)), "x": 1}}, "/properties/x"),
        (
            {"name": "impression", "properties": {"job_ids": [str(UUID(int=7))] * 101}},
            "/properties/job_ids",
        ),
    ],
)
async def test_what_is_no_event_is_refused(
    client: httpx2.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    sent = await client.post(EVENTS, json=body)
    assert sent.status_code == 422, sent.text
    assert [error["pointer"] for error in sent.json()["errors"]] == [pointer]


async def test_without_mongo_the_numbers_are_unavailable_and_nothing_else(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    real = app.state.engines
    app.state.engines = replace(real, mongo=Mongo("mongodb://127.0.0.1:9/none"))
    try:
        answer = await client.get(HITS, headers=cast.admin.headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        body = {"name": "view", "properties": {"job_id": str(job.id)}}
        assert (await client.post(EVENTS, json=body, headers=BROWSER)).status_code == 202
    finally:
        await app.state.engines.mongo.close()
        app.state.engines = real
