"""GET /jobs as scripts and forms use it: shapes, odd parameters, refusals, pages."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.api import parameters
from jobboard.clock import now
from jobboard.jobs import relaxing
from jobboard.jobs.models import JobStatus
from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job

pytestmark = pytest.mark.anyio

JOBS = "/api/v1/jobs"
SALARY = {"min": 2_000_000, "max": 3_000_000, "currency": "EUR", "period": "year"}


@pytest.fixture
async def listed(session: AsyncSession, cast: Cast) -> None:
    """Five bakers, the newest first, and what nobody may see."""
    for number in range(5):
        await make_job(
            session,
            cast.employer,
            cast.company,
            title=f"Baker {number}",
            published_at=now() - timedelta(days=number),
            location="Hamburg, Germany" if number % 2 else "Lyon, France",
            remote="hybrid" if number % 2 else "onsite",
            employment_type="full_time",
            experience="junior",
            salary=SALARY if number else None,
            tags=["bread", "shift work"],
        )
    await make_job(
        session, cast.employer, cast.company, title="Baker, hidden", status=JobStatus.PENDING
    )


async def get(client: httpx2.AsyncClient, query: str = "") -> dict[str, Any]:
    """The answer to a search that is fine."""
    answer = await client.get(f"{JOBS}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def titles(client: httpx2.AsyncClient, query: str = "") -> list[str]:
    """The titles found."""
    return [job["title"] for job in (await get(client, query))["items"]]


async def test_the_names_of_parameters_are_gathered_once(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client.get("/api/v1/jobs?q=x")).status_code == 200
    monkeypatch.setattr(parameters, "_names", None)
    assert (await client.get("/api/v1/jobs?q=y")).status_code == 200
    assert (await client.get("/api/v1/jobs?qq=y")).status_code == 422


async def test_the_shape_of_an_answer(client: httpx2.AsyncClient, cast: Cast, listed: None) -> None:
    page = await get(client, "q=baker&limit=2&sort=salary&facets=true")
    assert page["total"] == {"value": 5, "relation": "eq"}
    assert page["facets"] == {
        "employment_type": {"full_time": 5},
        "remote": {"onsite": 3, "hybrid": 2},
        "experience": {"junior": 5},
        "country": {"FR": 3, "DE": 2},
    }
    assert page["no_words"] is False
    assert isinstance(page["next_cursor"], str)
    job = page["items"][0]
    assert job["company"] == {
        "id": str(cast.company.id),
        "name": cast.company.name,
        "slug": cast.company.slug,
        "logo_url": None,
    }
    in_euros = {"min": 2_000_000, "max": 3_000_000, "rate_date": None, "rate_source": None}
    yearly = {"yearly_min": 2_000_000, "yearly_max": 3_000_000, "in_euros": in_euros}
    assert job["salary"] == SALARY | yearly
    assert (job["title"], job["location"], job["country"]) == ("Baker 1", "Hamburg, Germany", "DE")
    assert (job["remote"], job["employment_type"]) == ("hybrid", "full_time")
    assert (job["experience"], job["tags"]) == ("junior", ["bread", "shift work"])
    assert (job["status"], job["apply_url"]) == ("published", None)
    assert job["published_at"].endswith("Z")
    assert job["excerpt"].startswith("You bake bread")
    one = (await client.get(f"{JOBS}/{job['id']}")).json()
    assert one["company"].pop("answers") is None  # how it answers stands with one job only
    assert {name: one[name] for name in job if name in one} == {
        name: value for name, value in job.items() if name in one
    }


async def test_pay_is_compared_in_other_currencies_and_the_rate_is_told(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    pounds = {"min": 4_000_000, "currency": "GBP"}
    await make_job(session, cast.employer, cast.company, salary=pounds)
    page = await get(client, "salary_min=5000000&currency=USD&undisclosed_pay=exclude")
    rate = {"rate_date": "2026-10-30", "rate_source": "European Central Bank"}
    assert page["exchange_rate"] == {"currency": "USD", "per_euro": "1.1172", **rate}
    [job] = page["items"]
    assert job["salary"]["in_euros"] == {"min": 4_797_314, "max": None, **rate}
    page = await get(client, "salary_min=5500000&currency=USD&undisclosed_pay=exclude")
    assert page["items"] == []
    for other in ("salary_min=1&currency=EUR", "salary_min=1&currency=KWD", "currency=USD"):
        assert (await get(client, other))["exchange_rate"] is None


async def test_an_empty_board(client: httpx2.AsyncClient) -> None:
    assert await get(client) == {
        "items": [],
        "correction": None,
        "total": {"value": 0, "relation": "eq"},
        "facets": None,
        "facets_relation": None,
        "no_words": False,
        "exchange_rate": None,
        "relaxations": [],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=&location=&country=&remote=&employment_type=&experience=&salary_min=&currency=&tag="
        "&undisclosed_pay=&posted_within=&company=&sort=&cursor=&limit=&facets=&exact=",
        "q=+&country=%20&limit=%20",
        "q=baker&q=",
        "country=de,fr",
        "country=DE&country=fr&country=",
        "remote=onsite,hybrid&tag=bread&tag=Shift+work",
        "company=&location=%20%20&salary_min=1&currency=eur",
        "facets=1&undisclosed_pay=include&sort=newest",
    ],
)
async def test_all_of_these_find_everything(
    client: httpx2.AsyncClient, listed: None, query: str
) -> None:
    assert await titles(client, query) == [f"Baker {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("sort=best", "sort"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("posted_within=0", "posted_within"),
        ("posted_within=366", "posted_within"),
        ("salary_min=-1&currency=EUR", "salary_min"),
        ("salary_min=1e5&currency=EUR", "salary_min"),
        ("salary_min=99999999999999999999&currency=EUR", "salary_min"),
        ("salary_min=5", "currency"),
        ("salary_min=5&currency=EURO", "currency"),
        ("currency=XXQ", "currency"),
        ("country=DEU", "country/0"),
        ("country=D1", "country/0"),
        ("remote=sometimes", "remote/0"),
        ("employment_type=full_time,slavery", "employment_type/1"),
        ("experience=guru", "experience/0"),
        ("undisclosed_pay=maybe", "undisclosed_pay"),
        ("facets=perhaps", "facets"),
        (f"q={'x' * 501}", "q"),
        (f"q={'word+' * 500}end", "q"),
        (f"q={'x' * 10_240}", "q"),
        (f"location={'x' * 201}", "location"),
        (f"tag={'x' * 51}", "tag/0"),
        ("&".join(f"tag=t{number}" for number in range(21)), "tag"),
        ("q=a%00b", "q"),
        ("location=%00", "location"),
        ("tag=ok&tag=%00", "tag"),
        ("cursor=%00", "cursor"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    client: httpx2.AsyncClient, query: str, pointer: str
) -> None:
    answer = await client.get(f"{JOBS}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert [error["pointer"] for error in problem["errors"]] == [f"/query/{pointer}"]
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize(
    "q",
    ["the", "'", '"', '"the', "%", "\\", "a\\' OR 1=1 --", "🎉", "-", "-" * 500, "(((", "&|!:*"],
)
async def test_odd_words_are_no_error(client: httpx2.AsyncClient, listed: None, q: str) -> None:
    found = await get(client, f"q={quote(q)}&facets=true")
    assert found["items"] == []
    assert found["no_words"] is (q != "a\\' OR 1=1 --")


async def test_half_of_a_pair_is_text_like_any(client: httpx2.AsyncClient, listed: None) -> None:
    assert await titles(client, "q=%ED%A0%80%FF") == []


@pytest.mark.parametrize("query", ["", "q=baker", "sort=salary", "q=baker&sort=newest&facets=1"])
async def test_pages_follow_their_cursors(
    client: httpx2.AsyncClient, listed: None, query: str
) -> None:
    whole = await titles(client, query)
    seen, more = [], ""
    while True:
        page = await get(client, f"{query}&limit=2{more}")
        assert page["total"]["value"] == 5
        seen += [job["title"] for job in page["items"]]
        assert len(seen) <= 5
        if page["next_cursor"] is None:
            break
        more = f"&cursor={page['next_cursor']}"
    assert seen == whole
    assert len(seen) == 5


async def test_cursors_of_elsewhere_are_refused(client: httpx2.AsyncClient, listed: None) -> None:
    own = (await get(client, "q=baker&limit=1"))["next_cursor"]
    newest = (await get(client, "limit=1"))["next_cursor"]
    companies = (await client.get("/api/v1/companies?limit=1")).json()["next_cursor"]
    assert companies
    wrong = [newest, companies, own[:-4], own + "x", own[::-1], "x", "=", "é", "null", "W10", "e30"]
    for cursor in [*wrong, "A" * 600, "WzFlOTk5XQ"]:
        answer = await client.get(JOBS, params={"q": "baker", "cursor": cursor})
        assert answer.status_code == 422, cursor
        assert answer.json()["code"] == "invalid_cursor"
    assert len(await titles(client, f"q=baker&cursor={own}")) == 4


async def test_a_closed_job_is_out_at_once(
    client: httpx2.AsyncClient, cast: Cast, listed: None
) -> None:
    [job] = (await get(client, "q=baker&limit=1"))["items"]
    closed = await client.post(f"{JOBS}/{job['id']}/close", headers=cast.employer.headers)
    assert closed.status_code == 200
    assert job["title"] not in await titles(client, "q=baker")
    assert (await get(client))["total"]["value"] == 4


async def test_a_circle_around_a_town_and_what_to_do_without_one(
    client: httpx2.AsyncClient, listed: None
) -> None:
    near = await titles(client, "location=Norderstedt&radius_km=40&sort=newest")
    assert near == ["Baker 1", "Baker 3"]
    assert await titles(client, "location=Norderstedt&radius_km=10") == []
    for query, field, said in (
        ("radius_km=10", "/location", "Name the town"),
        ("location=Germany&radius_km=10", "/location", "needs a town"),
        ("location=Xyzzyville&radius_km=10", "/location", "no town called Xyzzyville"),
        ("location=Cambridge&radius_km=10", "/location", "Cambridge, Ontario, Canada"),
        ("location=Hamburg&radius_km=501", "/radius_km", "500 or less"),
        ("location=Hamburg&radius_km=0", "/radius_km", "1 or more"),
    ):
        answer = await client.get(f"{JOBS}?{query}")
        assert answer.status_code == 422, query
        [error] = answer.json()["errors"]
        assert error["pointer"] == f"/query{field}" or error["pointer"] == field
        assert said in error["message"]
    cambridge = await client.get(f"{JOBS}?location=Cambridge&country=US&radius_km=10")
    assert cambridge.status_code == 200


async def test_few_hits_come_with_ways_to_more(
    client: httpx2.AsyncClient, listed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaxing, "PATIENCE", 60)  # however busy the machine is
    page = await get(client, "q=baker&country=DE&location=Norderstedt&radius_km=10")
    assert (page["items"], page["total"]["value"]) == ([], 0)
    ways = [(way["changes"], way["total"]["value"]) for way in page["relaxations"]]
    assert ways[0] == ({"radius_km": 25}, 2)
    assert ({"location": None, "radius_km": None, "include_remote": None}, 2) in ways
    assert (await get(client, "q=baker"))["relaxations"] == []


async def test_jobs_like_one_are_those_that_everybody_may_see(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, listed: None
) -> None:
    one = (await get(client, "sort=newest"))["items"][0]
    page = (await client.get(f"{JOBS}/{one['id']}/similar")).json()
    assert page["next_cursor"] is None
    found = [job["title"] for job in page["items"]]
    assert len(found) == 4
    assert set(found) == {"Baker 1", "Baker 2", "Baker 3", "Baker 4"}
    hidden = await make_job(
        session, cast.employer, cast.company, title="Baker, mine", status=JobStatus.DRAFT
    )
    assert (await client.get(f"{JOBS}/{hidden.id}/similar")).status_code == 404
    own = await client.get(f"{JOBS}/{hidden.id}/similar", headers=cast.employer.headers)
    assert len(own.json()["items"]) == 4
    await client.post(f"{JOBS}/{page['items'][0]['id']}/close", headers=cast.employer.headers)
    later = (await client.get(f"{JOBS}/{one['id']}/similar")).json()
    assert page["items"][0]["id"] not in {job["id"] for job in later["items"]}
