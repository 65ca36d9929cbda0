"""Pages are walked by keyboard: Tab gets everywhere in the order of the page, what has the focus is
seen, and Enter, Space and Escape do what they do elsewhere."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from jobboard.accounts.models import Role
from jobboard.jobs.models import JobStatus
from tests.chromium import needs_chromium
from tests.factories.people import PASSWORD
from tests.factories.tasks import make_task
from tests.web.conftest import Town
from tests.web.drawn import drawn

pytestmark = [pytest.mark.anyio, pytest.mark.browser, needs_chromium]

# What can have the focus, in the order of the page. Of the radios of a group it is one.
ALL = """() => {
  window.walked = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}) && e.tabIndex >= 0);
  const groups = new Set(window.walked.filter(e => e.type === 'radio').map(e => e.name));
  return window.walked.filter(e => e.type !== 'radio').length + groups.size;
}"""
FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const ring = getComputedStyle(e), box = e.getBoundingClientRect();
  return {
    at: window.walked.indexOf(e),
    what: e.outerHTML.slice(0, 120),
    ringed: ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2,
    shown: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


async def assert_walkable(page: Page, path: str) -> None:
    """Tab through a page from its top to its end."""
    await page.goto(path)
    number, last = await page.evaluate(ALL), -1
    for _ in range(number):
        await page.keyboard.press("Tab")
        focus: dict[str, Any] | None = await page.evaluate(FOCUS)
        assert focus is not None, f"{path}: the focus ends after {last}"
        assert focus["at"] > last, f"{path}: out of order at {focus['what']}"
        assert focus["ringed"], f"{path}: no ring around {focus['what']}"
        assert focus["shown"], f"{path}: out of sight: {focus['what']}"
        last = focus["at"]
    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUS) is None, f"{path}: more than {number} to reach"


async def tab_to(page: Page, selector: str) -> None:
    """Tab until this has the focus."""
    for _ in range(80):
        if await page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached")


@pytest.fixture
async def stranger(town: Town, chromium: Chromium) -> AsyncIterator[Page]:
    async with drawn(chromium, town.stranger) as page:
        yield page


async def test_an_account_is_made_and_opened(stranger: Page) -> None:
    await assert_walkable(stranger, "/sign-up")
    await stranger.goto("/sign-up")
    await tab_to(stranger, "[name=role]")
    await stranger.keyboard.press("ArrowDown")
    for name, typed in (
        ("full_name", "Kay Board"),
        ("email", "kay@example.com"),
        ("password", PASSWORD),
    ):
        await tab_to(stranger, f"[name={name}]")
        await stranger.keyboard.type(typed)
    await stranger.keyboard.press("Enter")
    await stranger.wait_for_url("**/log-in")
    await assert_walkable(stranger, "/log-in")
    await tab_to(stranger, "[name=email]")
    await stranger.keyboard.type("kay@example.com")
    await tab_to(stranger, "[name=password]")
    await stranger.keyboard.type(PASSWORD)
    await stranger.keyboard.press("Enter")
    await stranger.wait_for_url("**/employer")
    assert await stranger.locator("h1").is_visible()


async def test_a_job_is_applied_to_and_a_task_is_done(town: Town, chromium: Chromium) -> None:
    job = await town.job()
    candidate, browser = await town.person()
    await make_task(town.session, candidate)
    async with drawn(chromium, browser) as page:
        await assert_walkable(page, f"/jobs/{job.slug}")
        await assert_walkable(page, f"/jobs/{job.slug}/apply")
        await page.goto(f"/jobs/{job.slug}/apply")
        await tab_to(page, "[name=cover_letter]")
        await page.keyboard.type("I rise early.")
        await tab_to(page, "[name=consent]")
        await page.keyboard.press("Space")
        await tab_to(page, "main [type=submit]")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/me/applications")
        await assert_walkable(page, "/me/tasks")
        await tab_to(page, "summary")
        await page.keyboard.press("Enter")
        assert await page.locator("details.menu[open]").count() == 1
        await page.keyboard.press("Space")
        assert await page.locator("details.menu[open]").count() == 0


async def test_the_desks(town: Town, chromium: Chromium) -> None:
    await town.job(JobStatus.PENDING)
    owner = await town.browser(town.owner)
    async with drawn(chromium, owner) as page:
        await assert_walkable(page, "/employer?tab=pending")
        await assert_walkable(page, f"/employer/companies/{town.company.id}")
    _, admin = await town.person(Role.ADMIN)
    async with drawn(chromium, admin) as page:
        await assert_walkable(page, "/admin")
        await assert_walkable(page, "/admin/jobs")
        await page.keyboard.press("?")
        assert await page.locator("dialog[open]").count() == 1
        await page.keyboard.press("Escape")
        assert await page.locator("dialog[open]").count() == 0
