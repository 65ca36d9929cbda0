"""Saved searches through the API: what is kept of a search, and only one's own."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.alerts import service
from jobboard.alerts.models import SavedSearch
from jobboard.backup.postgres import snapshot
from jobboard.jobs import news
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job
from tests.factories.people import User
from tests.letters import Mailbox

pytestmark = pytest.mark.anyio
SAVED = "/api/v1/saved-searches"
EVERYTHING: dict[str, Any] = {
    "q": '"head baker" -night',
    "location": "Hamburg",
    "country": ["DE", "FR"],
    "remote": ["hybrid", "onsite"],
    "employment_type": ["full_time"],
    "experience": ["senior"],
    "salary_min": 5000050,
    "currency": "EUR",
    "undisclosed_pay": "exclude",
    "posted_within": 7,
    "company": "harbour-bakery",
    "tag": ["bread", "shift work"],
}


class Desk:
    """One person's saved searches, by the API."""

    def __init__(self, client: httpx2.AsyncClient, user: User) -> None:
        self.client = client
        self.user = user

    async def send(self, method: str, path: str = "", **more: Any) -> httpx2.Response:
        return await self.client.request(method, SAVED + path, headers=self.user.headers, **more)

    async def save(self, search: dict[str, Any], **fields: Any) -> dict[str, Any]:
        answer = await self.send("POST", json={"search": search, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
async def desk(client: httpx2.AsyncClient, cast: Cast) -> Desk:
    return Desk(client, cast.candidate)


async def test_one_is_saved_while_a_backup_runs(desk: Desk, settings: Settings) -> None:
    async with snapshot(settings.database_url.get_secret_value()):
        assert (await desk.save({"q": "baker"}))["name"] == "baker"


async def test_a_life_from_saved_to_gone(desk: Desk) -> None:
    made = await desk.save({"q": "baker", "location": "Hamburg"}, frequency="at_once")
    assert made["name"] == "baker, Hamburg"
    assert (made["frequency"], made["paused"], made["new_jobs"]) == ("at_once", False, 0)
    assert made["path"] == "/?q=baker&location=Hamburg&sort=newest"
    assert made["next_at"] is None
    one = f"/{made['id']}"
    change = {"name": "Bread", "frequency": "weekly", "version": made["version"]}
    changed = (await desk.send("PATCH", one, json=change)).json()
    assert (changed["name"], changed["frequency"]) == ("Bread", "weekly")
    assert changed["next_at"].endswith("T08:00:00Z")
    late = await desk.send("PATCH", one, json=change)
    assert (late.status_code, late.json()["code"]) == (409, "edited_meanwhile")
    paused = (await desk.send("PATCH", one, json={"paused": True})).json()
    assert (paused["paused"], paused["next_at"]) == (True, None)
    assert (await desk.send("GET")).json() == {"items": [paused], "next_cursor": None}
    assert (await desk.send("GET", one)).json() == paused
    assert (await desk.send("DELETE", one)).status_code == 204
    assert (await desk.send("GET", one)).json()["code"] == "saved_search_not_found"


async def test_every_filter_is_kept_and_leads_back_to_its_page(desk: Desk) -> None:
    made = await desk.save(EVERYTHING)
    assert {name: made["search"][name] for name in EVERYTHING} == EVERYTHING
    page = await desk.client.get(made["path"])
    assert page.status_code == 200
    for words in ("From €50,000.50 a year", "Pay is given", "shift work", "Last week", "France"):
        assert words in page.text


async def test_what_asks_the_same_is_saved_once(desk: Desk) -> None:
    await desk.save({"country": ["FR", "DE"], "currency": "EUR"}, name="One")
    again = {"search": {"country": ["DE", "FR", "DE"], "q": " "}, "name": "Two"}
    answer = await desk.send("POST", json=again)
    assert (answer.status_code, answer.json()["code"]) == (409, "search_saved_already")


async def test_there_is_room_for_so_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    for q in ("a1", "b2"):
        await desk.save({"q": q})
    answer = await desk.send("POST", json={"search": {"q": "c3"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_saved_searches")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/search"),
        ({"search": {"q": "x" * 501}}, "/search/q"),
        ({"search": {"country": ["Germany"]}}, "/search/country/0"),
        ({"search": {"salary_min": 1}}, "/search/currency"),
        ({"search": {"posted_within": "7"}}, "/search/posted_within"),
        ({"search": {"sort": "newest"}}, "/search/sort"),
        ({"search": {}, "frequency": "hourly"}, "/frequency"),
        ({"search": {}, "name": ""}, "/name"),
        ({"search": {"q": "a\x00b"}}, "/search/q"),
    ],
)
async def test_what_does_not_fit_is_said_where(
    desk: Desk, body: dict[str, Any], pointer: str
) -> None:
    answer = await desk.send("POST", json=body)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "q", ["' \\ ''", "a'b & !c | (d", '"the of" or and', "x:* <-> y", "日本 -東京"]
)
async def test_no_words_are_an_error(desk: Desk, q: str) -> None:
    assert (await desk.save({"q": q, "location": q}))["search"]["q"] == q


async def test_new_jobs_are_counted_until_one_looks(
    desk: Desk, cast: Cast, session: AsyncSession, settings: Settings, db: Any
) -> None:
    made = await desk.save({"q": "baker"})
    jobs = [await make_job(session, cast.employer, cast.company) for _ in range(3)]
    news.published(session, [job.id for job in jobs])
    await session.commit()
    await Mailbox(settings, db).read()
    assert (await desk.send("GET", f"/{made['id']}")).json()["new_jobs"] == 3
    await desk.client.post(f"/api/v1/jobs/{jobs[0].id}/close", headers=cast.employer.headers)
    assert (await desk.send("GET")).json()["items"][0]["new_jobs"] == 2


async def test_one_from_before_there_were_bounds_still_works(
    desk: Desk, cast: Cast, session: AsyncSession, settings: Settings, db: Any
) -> None:
    made = await desk.save({"q": "baker"})
    words = " or ".join(["baker", *(f"w{number}*" for number in range(60))])
    values = {"criteria": {"q": words}, "stale": True, "words": None}
    await session.execute(update(SavedSearch).values(values))
    await session.commit()
    job = await make_job(session, cast.employer, cast.company)
    news.published(session, [job.id])
    await session.commit()
    await Mailbox(settings, db).read()
    [kept] = (await desk.send("GET")).json()["items"]
    assert (kept["id"], kept["search"]["q"], kept["new_jobs"]) == (made["id"], words, 1)


@pytest.mark.parametrize("search", [7, {"country": 7}, {"tag": [7]}, {"remote": {"a": "b"}}])
async def test_what_is_no_search_is_refused(desk: Desk, search: Any) -> None:
    answer = await desk.send("POST", json={"search": search})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/search")


async def test_a_name_holds_as_much_of_the_search_as_fits(desk: Desk) -> None:
    tags = [f"{number} {'bread ' * 6}".strip() for number in range(8)]
    made = await desk.save({"q": "baker", "tag": tags})
    assert made["name"].startswith("baker, 0 bread")
    assert made["name"].endswith("bread, …")
    assert 150 < len(made["name"]) <= 200


async def test_a_time_zone_is_a_place_that_exists(desk: Desk) -> None:
    for zone, status in (("Europe/Berlin", 200), ("Middle/Earth", 422), ("localtime", 422)):
        answer = await desk.client.patch(
            "/api/v1/me", json={"time_zone": zone}, headers=desk.user.headers
        )
        assert answer.status_code == status, zone
    assert (await desk.client.get("/api/v1/me", headers=desk.user.headers)).json()[
        "time_zone"
    ] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("search", "pointer"),
    [("bakers", "/search"), (7, "/search"), ({"country": 5}, "/search/country")],
)
async def test_a_search_of_another_kind_is_told_where_it_is_wrong(
    client: httpx2.AsyncClient, cast: Cast, search: Any, pointer: str
) -> None:
    answer = await Desk(client, cast.candidate).send("POST", json={"search": search})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
