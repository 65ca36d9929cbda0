"""The one script of to-dos, in a browser that is far from UTC."""

import shutil
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Route, async_playwright

from jobboard.tasks import queries
from tests.factories.tasks import make_task
from tests.web.browser import SAME_ORIGIN
from tests.web.conftest import Town

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
async def test_a_due_date_is_read_and_written_where_the_person_is(town: Town) -> None:
    candidate, browser = await town.person()
    due = datetime(2027, 3, 1, 3, 45, tzinfo=UTC)
    task = await make_task(town.session, candidate, due_at=due)

    async def answer(route: Route) -> None:
        """Ask the app for the browser, as the person who is logged in."""
        asked = route.request
        path = asked.url.removeprefix("http://board.example.com")
        fields = parse_qs(asked.post_data or "", keep_blank_values=True)
        found = await browser._send(asked.method, path, headers=dict(SAME_ORIGIN), data=fields)
        headers = {"Location": found.headers["location"]} if found.is_redirect else {}
        headers["Content-Type"] = found.headers.get("content-type", "text/plain")
        await route.fulfill(status=found.status_code, headers=headers, body=found.content)

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await chromium.new_page(timezone_id="Asia/Kathmandu")  # 5:45 ahead
        await page.route("**/*", answer)
        await page.goto(f"http://board.example.com/me/tasks/{task.id}")
        field = page.get_by_label("Due")
        assert await page.get_by_text("In your own time").is_visible()
        assert await field.input_value() == "2027-03-01T09:30"
        await field.fill("2027-07-01T00:15")
        await page.get_by_role("button", name="Save task").click()
        await page.wait_for_url("**/me/tasks")
        await chromium.close()
    await town.session.rollback()
    saved = await queries.get(town.session, candidate.actor, task.id)
    assert saved.due_at == datetime(2027, 6, 30, 18, 30, tzinfo=UTC)
