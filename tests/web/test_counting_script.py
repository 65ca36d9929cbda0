"""The script that counts what people see and where they go, in a browser, up to MongoDB."""

import asyncio
from collections import Counter
from typing import Any

import pymongo
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, Request, Route

from jobboard.analytics.events import COLLECTION
from tests.chromium import needs_chromium
from tests.timing import stored, until
from tests.web.conftest import Town
from tests.web.drawn import drawn

pytestmark = [pytest.mark.anyio, pytest.mark.browser, needs_chromium]

TELLING = "**/api/v1/analytics/events"
AGENTS = {
    "a person": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
    "a crawler": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
}
ASKS_FOR_SILENCE = {
    "DNT": "Object.defineProperty(navigator, 'doNotTrack', { get: () => '1' })",
    "Sec-GPC": "Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })",
}
# Two frames later every observer has been told what is in sight; then the page is left.
LEAVE = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  document.dispatchEvent(new Event("visibilitychange"));
}"""


MANY = """() => {
  const words = Array.from({ length: 250 }, (_, number) => {
    const word = document.createElement("b");
    word.dataset.job = `job-${number}`;
    word.textContent = "job ";
    return word;
  });
  document.getElementById("results").prepend(...words);
}"""


async def counted(app: FastAPI) -> list[dict[str, Any]]:
    """The events of this test, taken away from MongoDB."""
    recorder = app.state.events.recorder
    await stored(recorder)
    events = app.state.engines.mongo.database[COLLECTION]
    with pymongo.timeout(60):
        found = await events.find().to_list()
        await events.delete_many({})
    return found


async def test_what_is_in_sight_and_where_people_go_is_counted(
    app: FastAPI, town: Town, chromium: Chromium
) -> None:
    site = "https://zymurgy.example.net"
    jobs = [
        await town.job(title=f"Zymurgist {number}", apply_url=f"{site}/{number}")
        for number in range(6)
    ]
    await counted(app)
    screen: Any = {"width": 1000, "height": 500}
    person = AGENTS["a person"]
    async with drawn(chromium, town.stranger, viewport=screen, user_agent=person) as page:
        await page.route(f"{site}/**", _stand_in)
        async with page.expect_response(TELLING) as told:
            await page.goto("/?q=zymurgist")
        assert (await told.value).status == 202
        first = Counter(event["name"] for event in await counted(app))
        assert first.pop("search") == 1
        assert 0 < first["impression"] < len(jobs)
        async with page.expect_response(TELLING):
            await page.locator("[data-job]").last.scroll_into_view_if_needed()
        then = Counter(event["name"] for event in await counted(app))
        assert then.keys() == {"impression"}
        assert first["impression"] + then["impression"] <= len(jobs)
        await page.goto(f"/jobs/{jobs[0].slug}")
        await page.get_by_role("link", name="Apply on").first.click()
        await page.wait_for_url(f"{site}/**")
        # What is told as a page is left may arrive after the next one is there.
        events = []
        async with asyncio.timeout(60):
            while not {"view", "open"} <= {event["name"] for event in events}:
                events += await counted(app)
    assert {event["job_id"] for event in events if event["name"] in {"view", "open"}} == {
        str(jobs[0].id)
    }


async def _stand_in(route: Route) -> None:
    """The site of the company."""
    await route.fulfill(status=200, body="Welcome")


async def test_a_list_of_more_than_a_hundred_is_told_whole(town: Town, chromium: Chromium) -> None:
    job = await town.job(title="Zymurgist")
    told: list[str] = []

    async def note(route: Route) -> None:
        told.extend((route.request.post_data_json or {})["properties"]["job_ids"])
        await route.fulfill(status=202, json={})

    screen: Any = {"width": 1000, "height": 2000}
    async with drawn(chromium, town.stranger, viewport=screen) as page:
        await page.route(TELLING, note)
        await page.goto("/?q=zymurgist")
        await page.evaluate(MANY)
        await page.evaluate(LEAVE)
        await until(lambda: len(told) > 250)
        assert sorted(told) == sorted([str(job.id), *(f"job-{number}" for number in range(250))])


@pytest.mark.parametrize("header", ASKS_FOR_SILENCE)
async def test_who_does_not_want_to_be_counted_sends_nothing(
    app: FastAPI, town: Town, chromium: Chromium, header: str
) -> None:
    job = await town.job(title="Zymurgist", apply_url="https://zymurgy.example.net/")
    await counted(app)
    sent: list[str] = []
    options: Any = {"extra_http_headers": {header: "1"}, "user_agent": AGENTS["a person"]}
    async with drawn(chromium, town.stranger, **options) as page:
        await page.add_init_script(ASKS_FOR_SILENCE[header])
        await _look_around(page, job.slug, sent)
    assert sent == []
    assert await counted(app) == []


async def test_crawlers_are_answered_and_not_counted(
    app: FastAPI, town: Town, chromium: Chromium
) -> None:
    job = await town.job(title="Zymurgist", apply_url="https://zymurgy.example.net/")
    await counted(app)
    sent: list[str] = []
    async with drawn(chromium, town.stranger, user_agent=AGENTS["a crawler"]) as page:
        await _look_around(page, job.slug, sent)
    assert sent
    assert await counted(app) == []


async def _look_around(page: Page, slug: str, sent: list[str]) -> None:
    """See a list and leave it, read a job and go where one applies."""

    def note(asked: Request) -> None:
        if asked.method == "POST":
            sent.append(asked.url)

    page.on("request", note)
    await page.route("https://zymurgy.example.net/", _stand_in)
    await page.goto("/?q=zymurgist")
    await page.locator("[data-job]").first.wait_for()
    await page.evaluate(LEAVE)
    await page.goto(f"/jobs/{slug}")
    await page.get_by_role("link", name="Apply on").first.click()
    await page.wait_for_url("https://zymurgy.example.net/")
