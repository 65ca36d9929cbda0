"""Pages with charts: what they show, to whom, and what they say when there is nothing to show."""

import csv
import io
import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pymongo
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from jobboard.accounts.models import Role
from jobboard.analytics import events, rollups, searches
from jobboard.analytics.hits import Hit
from jobboard.clock import now
from jobboard.infra.mongo import Mongo
from jobboard.web.charts import Kind, Place, Series, compact, draw, milliseconds, round_ticks
from tests.timing import stored
from tests.web.browser import read
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
NUMBERS = "/admin/analytics"


@pytest.fixture
async def mongo(app: FastAPI) -> Mongo:
    """The app's, with nothing counted in it."""
    mongo: Mongo = app.state.engines.mongo
    with pymongo.timeout(60):  # a busy machine is no reason to fail
        for name in await mongo.database.list_collection_names():
            await mongo.database[name].delete_many({})
    return mongo


@pytest.fixture
async def without_mongo(app: FastAPI) -> AsyncIterator[None]:
    """Nobody listens where MongoDB should be."""
    real = app.state.engines
    app.state.engines = replace(real, mongo=Mongo("mongodb://127.0.0.1:9/none"))
    yield
    await app.state.engines.mongo.close()
    app.state.engines = real


async def hit(mongo: Mongo, number: int, status: int = 200) -> None:
    at = now() - timedelta(hours=2)
    hits = [Hit(at, "/api/v1/jobs", "GET", status, 20.0, 1, None, None, "", "")] * number
    with pymongo.timeout(60):
        await rollups.mark(mongo.database[rollups.MARKS], [at])
        await mongo.database[rollups.HITS].insert_many([each._asdict() for each in hits])


async def happen(mongo: Mongo, name: str, number: int, **fields: Any) -> None:
    at, dice = now(), random.Random(number)
    every = [events.Event(dice.randbytes(16), at, name, **fields)] * number
    documents = [{**each._asdict(), "_id": dice.randbytes(16)} for each in every]
    with pymongo.timeout(60):
        await mongo.database[events.COLLECTION].insert_many(documents)


async def test_moderators_see_what_the_api_answered(town: Town, mongo: Mongo) -> None:
    await hit(mongo, 1233)
    await hit(mongo, 12, status=500)
    await rollups.roll_up(mongo.database)
    await happen(mongo, "search", 3, term="lamp <b>lighter", results=0)
    await searches.roll_up(mongo.database, ttl_days=90)
    _, desk = await town.person(Role.ADMIN)
    page = await desk.get(NUMBERS)
    assert page.status == 200
    assert "1,245" in page.text
    assert "GET /api/v1/jobs" in page.text
    assert "lamp <b>lighter" in page.text
    assert "<b>lighter" not in page.html
    assert re.search(r"<title>\d+ \w+, \d\d:00 to \d\d:00 UTC\s1,245 requests", page.html)
    assert page.html.count("<svg data-size=") == 4  # two charts, each for two widths
    assert ' style="' not in page.html  # the CSP refuses it
    for period in ("hour", "month"):
        assert (await desk.get(f"{NUMBERS}?period={period}")).status == 200
    assert (await town.stranger.get(NUMBERS)).location.startswith("/log-in")


async def test_the_numbers_go_along_as_csv_and_json(town: Town, mongo: Mongo) -> None:
    await hit(mongo, 3)
    await rollups.roll_up(mongo.database)
    await happen(mongo, "search", 2, term="=cmd()", results=0)
    await searches.roll_up(mongo.database, ttl_days=90)
    user, _ = await town.person(Role.ADMIN)
    desk = await town.browser(user)

    async def fetch(path: str) -> httpx2.Response:
        answer = await desk._send("GET", path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer

    told = (await fetch(f"{NUMBERS}/hits.json")).json()
    assert [item["count"] for item in told["items"]] == [3]
    [row] = csv.DictReader(io.StringIO((await fetch(f"{NUMBERS}/hits.csv")).text.lstrip("\ufeff")))
    assert (row["route"], row["status"], row["count"]) == ("/api/v1/jobs", "200", "3")
    assert (await fetch(f"{NUMBERS}/searches.json")).json()["found_nothing"] == 2
    # No spreadsheet calculates what a stranger typed into the search.
    assert "'=cmd(),2,2" in (await fetch(f"{NUMBERS}/searches.csv")).text


async def test_a_company_sees_how_its_job_does(town: Town, mongo: Mongo) -> None:
    job = await town.job()
    here = f"/employer/jobs/{job.id}/analytics"
    owner = await town.browser(town.owner)
    assert "Nobody has seen this job" in (await owner.get(here)).text
    # Read before the days that are shown, or by a browser that sends no events.
    await happen(mongo, "open", 1, job_id=str(job.id), referrer="old.example")
    assert "old.example: 0" in (await owner.get(here)).text
    await happen(mongo, "impression", 40, job_id=str(job.id))
    await happen(mongo, "view", 10, job_id=str(job.id), referrer="news.example")
    page = await owner.get(here)
    assert "Saw it in a list: 40" in page.text
    assert "Read it: 10 25% of these" in page.text
    assert "news.example: 10" in page.text
    table = (await owner._send("GET", f"{here}.csv?days=7")).text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == 7
    assert rows[-1] == {
        "day": f"{now():%Y-%m-%d}", "impressions": "40", "views": "10", "opens": "1",
        "applies": "0",
    }  # fmt: skip
    assert (await owner._send("GET", f"{here}.json")).json()["total"]["views"] == 10
    _, rival = await town.person(Role.EMPLOYER)
    assert (await rival.get(here)).status == 403


async def test_a_companys_own_people_get_no_script_that_counts(town: Town) -> None:
    job = await town.job(apply_url="https://jobs.example.net/1")
    owner, (_, rival) = await town.browser(town.owner), await town.person(Role.EMPLOYER)
    for path in (f"/jobs/{job.slug}", f"/companies/{town.company.slug}"):
        for browser, counts in ((owner, False), (rival, True), (town.stranger, True)):
            page = await browser.get(path)
            assert page.status == 200
            assert ("/count" in page.html) == counts, path


async def test_the_site_that_led_to_a_job_goes_along_to_the_application(
    app: FastAPI, town: Town, mongo: Mongo
) -> None:
    job = await town.job()
    _, candidate = await town.person()
    headers = {"User-Agent": "Mozilla/5.0 Firefox/145.0", "Referer": "https://www.news.example/a"}
    page = read(await candidate._send("GET", f"/jobs/{job.slug}", headers=headers))
    path = f"/jobs/{job.slug}/apply"
    assert f'href="{path}?from=news.example"' in page.html
    headers["Referer"] = f"{town.settings.base_url}/jobs/{job.slug}"
    form = read(await candidate._send("GET", f"{path}?from=news.example", headers=headers))
    letter = {"cover_letter": "I rise early.", "consent": "yes"}
    sent = await candidate.post(path, {**form.form(path).fields, **letter}, headers=headers)
    assert sent.location == "/me/applications"
    await stored(app.state.events.recorder)
    owner = await town.browser(town.owner)
    here = f"/employer/jobs/{job.id}/analytics"
    told = (await owner._send("GET", f"{here}.json")).json()
    assert told["referrers"] == [{"host": "news.example", "views": 1, "opens": 1, "applies": 1}]
    assert "news.example: 1 1 began to apply, 1 applied here" in (await owner.get(here)).text


async def test_without_mongo_pages_say_so_and_go_on(town: Town, without_mongo: None) -> None:
    job = await town.job()
    _, desk = await town.person(Role.ADMIN)
    owner = await town.browser(town.owner)
    for browser, path in ((desk, NUMBERS), (owner, f"/employer/jobs/{job.id}/analytics")):
        page = await browser.get(path)
        assert (page.status, "The numbers rest" in page.text) == (200, True), page.text


async def test_the_list_of_jobs_shows_how_often_each_was_read(town: Town, mongo: Mongo) -> None:
    job, unread = await town.job(title="Baker"), await town.job(title="Miller")
    await happen(mongo, "view", 7, job_id=str(job.id))
    await happen(mongo, "impression", 5, job_id=str(unread.id))
    page = await (await town.browser(town.owner)).get("/employer")
    assert page.text.count("7 readers in 30 days") == 1
    assert page.text.count("in 30 days") == 1


async def test_without_mongo_the_list_of_jobs_shows_no_readers(
    town: Town, without_mongo: None
) -> None:
    await town.job(title="Baker")
    page = await (await town.browser(town.owner)).get("/employer")
    assert (page.status, "Baker" in page.text, "readers" in page.text) == (200, True, False)


@given(st.floats(0.001, 1e9), st.booleans())
def test_the_axis_is_round_and_holds_all(highest: float, whole: bool) -> None:
    ticks = round_ticks(highest, whole=whole)
    step = ticks[1] - ticks[0]
    assert ticks[0] == 0
    assert ticks[-1] >= highest * (1 - 1e-9)
    assert 1 <= len(ticks) - 1 <= 6
    assert f"{step:.0e}"[0] in "125"
    assert not whole or step >= 1


def test_bars_end_at_the_grid_and_lines_break_where_nothing_is() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    places = [Place(start + timedelta(hours=hour), f"at {hour}") for hour in range(4)]
    shown = [Series("One", "main", [2, None, 4, 1]), Series("Two", "bad", [2, 1, 4, 0])]
    for kind in Kind:
        chart = draw("c", "C", "C", kind=kind, step="hour", places=places, series=shown)
        for drawing in chart.drawings:
            assert len(drawing.fields) == 4
            floor = drawing.size.height - drawing.bottom
            assert (drawing.grid[0].position, drawing.grid[-1].position) == (floor, drawing.top)
            if kind is Kind.BARS:
                assert drawing.grid[-1].words == "8"
                tallest = [box for box in drawing.boxes if box.y == drawing.top]
                assert [box.tone for box in tallest] == ["bad"]
            else:
                assert drawing.lines[0].path.count("M") == 2
                assert len(drawing.lines[0].points) == 3


def test_numbers_are_short_and_have_their_unit() -> None:
    assert [compact(each) for each in (0, 0.5, 1200, 15_000, 2.5e6)] == [
        "0", "0.5", "1,200", "15k", "2.5M",
    ]  # fmt: skip
    assert [milliseconds(each) for each in (0.5, 120, 1500)] == ["0.5 ms", "120 ms", "1.5 s"]
