"""The one script of to-dos, in a browser that is far from UTC."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser as Chromium

from jobboard.tasks import queries
from tests.chromium import needs_chromium
from tests.factories.tasks import make_task
from tests.web.conftest import Town
from tests.web.drawn import drawn

pytestmark = [pytest.mark.anyio, pytest.mark.browser, needs_chromium]


async def test_a_due_date_is_read_and_written_where_the_person_is(
    town: Town, chromium: Chromium
) -> None:
    candidate, browser = await town.person()
    due = datetime(2027, 3, 1, 3, 45, tzinfo=UTC)
    task = await make_task(town.session, candidate, due_at=due)
    async with drawn(chromium, browser, timezone_id="Asia/Kathmandu") as page:  # 5:45 ahead
        await page.goto(f"/me/tasks/{task.id}")
        field = page.get_by_label("Due")
        assert await page.get_by_text("In your own time").is_visible()
        assert await field.input_value() == "2027-03-01T09:30"
        await field.fill("2027-07-01T00:15")
        await page.get_by_role("button", name="Save task").click()
        await page.wait_for_url("**/me/tasks")
    await town.session.rollback()
    saved = await queries.get(town.session, candidate.actor, task.id)
    assert saved.due_at == datetime(2027, 6, 30, 18, 30, tzinfo=UTC)
