"""Versions of the API side by side, and operations that say when they will go."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from jobboard.api import v1
from jobboard.api.versions import Version, deprecated
from jobboard.asgi import create_app
from jobboard.errors import NotFound
from jobboard.settings import Settings
from tests.conftest import BASE_URL

jobs = APIRouter(prefix="/jobs", tags=["jobs"])
GOING = deprecated(since=date(2026, 10, 1), sunset=date(2027, 10, 1), successor="/api/v2/jobs/{id}")


@jobs.get("")
async def list_jobs() -> dict[str, list[str]]:
    """Search live jobs, as v2 does."""
    return {"jobs": ["Baker"]}


@jobs.get("/of-old/{number}", **GOING)
async def get_job_of_old(number: int) -> dict[str, int]:
    """One job, the way it was."""
    if number == 0:
        raise NotFound("No such job.", code="job_not_found")
    return {"number": number}


@jobs.post("", **deprecated(since=date(2026, 10, 1), sunset=date(2027, 10, 1)))
async def create_job() -> dict[str, int]:
    """Make a job. What v1 does with its id, v2 does not."""
    return {"id": 7}


V2 = Version("v2", [jobs])


@pytest.fixture(scope="module")
async def both(settings: Settings, anyio_backend: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A board that serves v1 and, beside it, a v2."""
    app = create_app(settings, versions=[v1.VERSION, V2])
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE_URL) as client,
    ):
        yield client


async def test_each_version_answers_in_its_own_way(both: httpx2.AsyncClient) -> None:
    assert "items" in (await both.get("/api/v1/jobs")).json()
    assert (await both.get("/api/v2/jobs")).json() == {"jobs": ["Baker"]}
    assert (await both.get("/api/v2/companies")).status_code == 404


async def test_each_version_has_a_document(both: httpx2.AsyncClient) -> None:
    first, second, current = [
        (await both.get(path)).json()["paths"]
        for path in ("/api/v1/openapi.json", "/api/v2/openapi.json", "/api/openapi.json")
    ]
    assert set(second) == {"/api/v2/jobs", "/api/v2/jobs/of-old/{number}"}
    assert all(path.startswith("/api/v1/") for path in first)
    assert set(first) < set(current)
    assert not set(second) & set(current)


async def test_the_documentation_leads_to_each(both: httpx2.AsyncClient) -> None:
    assert 'href="?version=v2"' in (await both.get("/api/docs")).text
    assert '"v2": "/api/v2/openapi.json"' in (await both.get("/api/docs/start.js")).text


async def test_with_one_version_there_is_nothing_to_choose(client: httpx2.AsyncClient) -> None:
    assert "version=" not in (await client.get("/api/docs")).text


@pytest.mark.parametrize(("number", "status"), [("1", 200), ("0", 404), ("one", 422)])
async def test_every_answer_says_when_the_operation_goes(
    both: httpx2.AsyncClient, number: str, status: int
) -> None:
    answer = await both.get(f"/api/v2/jobs/of-old/{number}")
    assert answer.status_code == status
    since = int(answer.headers["deprecation"].removeprefix("@"))
    assert datetime.fromtimestamp(since, UTC) == datetime(2026, 10, 1, tzinfo=UTC)
    assert parsedate_to_datetime(answer.headers["sunset"]) == datetime(2027, 10, 1, tzinfo=UTC)
    assert '</api/v2/jobs/{id}>; rel="successor-version"' in answer.headers["link"]
    assert 'rel="deprecation"' in answer.headers["link"]


async def test_what_stays_says_nothing(both: httpx2.AsyncClient) -> None:
    answer = await both.get("/api/v2/jobs")
    assert not {"deprecation", "sunset"} & set(answer.headers)


async def test_the_document_marks_what_goes(both: httpx2.AsyncClient) -> None:
    paths: dict[str, Any] = (await both.get("/api/v2/openapi.json")).json()["paths"]
    going = paths["/api/v2/jobs/of-old/{number}"]["get"]
    assert going["deprecated"] is True
    assert going["x-sunset"] == "2027-10-01"
    assert "deprecated" not in paths["/api/v2/jobs"]["get"]
    assert "links" not in paths["/api/v2/jobs"]["post"]["responses"]["200"]


async def test_what_goes_for_good_names_nothing_that_takes_its_place(
    both: httpx2.AsyncClient,
) -> None:
    answer = await both.post("/api/v2/jobs")
    assert "sunset" in answer.headers
    assert "successor" not in answer.headers["link"]


def test_nothing_goes_before_it_was_deprecated() -> None:
    with pytest.raises(ValueError, match="must come after"):
        deprecated(since=date(2026, 10, 1), sunset=date(2026, 10, 1))


def test_every_operation_of_v1_is_named() -> None:
    routes = [route for router in v1.VERSION.routers for route in router.routes]
    assert all(route.summary for route in routes if isinstance(route, APIRoute))
