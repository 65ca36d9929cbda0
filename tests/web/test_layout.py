"""Where things stand on a page that a browser drew."""

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from jobboard.accounts.models import Role
from jobboard.applications.schemas import ApplicationCreate
from jobboard.applications.service import apply
from tests.chromium import needs_chromium
from tests.factories.files import picture
from tests.web.conftest import Town
from tests.web.drawn import drawn

pytestmark = [pytest.mark.anyio, pytest.mark.browser, needs_chromium]
WIDE = "document.documentElement.scrollWidth - innerWidth"


async def test_a_logo_stands_before_the_text_and_in_the_margin(
    town: Town, chromium: Chromium
) -> None:
    answer = await town.client.put(
        f"/api/v1/companies/{town.company.id}/logo",
        files={"file": ("logo.png", picture())},
        headers=town.owner.headers,
    )
    assert answer.status_code == 200
    job = await town.job()
    candidate, browser = await town.person()
    sent = await apply(town.session, candidate.actor, job.id, ApplicationCreate(cover_letter="Hi."))
    await town.session.commit()
    seen = f"/me/applications/{sent.id}"
    async with drawn(chromium, browser) as page:
        for path, name in (("/", "h2"), ("/me/applications", "h2"), (seen, "h1")):
            await page.goto(path)
            for width in (320, 390, 1280):
                await page.set_viewport_size({"width": width, "height": 800})
                await _stands_right(page, path, name)


async def _stands_right(page: Page, path: str, name: str) -> None:
    logo = await page.locator("img.logo").first.bounding_box()
    title = await page.locator(f"main {name}").first.bounding_box()
    edge = await page.locator("main").evaluate(
        "main => main.getBoundingClientRect().left + parseFloat(getComputedStyle(main).paddingLeft)"
    )
    where = (path, page.viewport_size)
    assert logo is not None
    assert title is not None
    assert logo["x"] + logo["width"] < title["x"], where
    assert abs(logo["y"] - title["y"]) < logo["height"], where
    assert logo["width"] >= 40, where
    if path != "/":  # where filters stand at the left
        assert abs(logo["x"] - edge) < 1, where
    assert await page.evaluate(WIDE) <= 0, where


async def test_filters_of_the_audit_log_leave_a_phone_room_for_it(
    town: Town, chromium: Chromium
) -> None:
    _, browser = await town.person(Role.ADMIN)
    async with drawn(chromium, browser, viewport={"width": 390, "height": 844}) as page:
        await page.goto("/admin/audit-log")
        assert not await page.get_by_label("Done by").is_visible()
        await page.get_by_text("Filters").click()
        await page.get_by_label("Done by").fill("nobody@example.com")
        await page.get_by_role("button", name="Show").click()
        assert await page.get_by_label("Done by").is_visible()
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.goto("/admin/audit-log")
        assert await page.get_by_label("Done by").is_visible()
        assert not await page.get_by_text("Filters", exact=True).is_visible()


async def test_the_help_beside_a_job_has_the_width_of_a_phone(
    town: Town, chromium: Chromium
) -> None:
    browser = await town.browser(town.owner)
    async with drawn(chromium, browser, viewport={"width": 390, "height": 844}) as page:
        await page.goto(f"/employer/jobs/{(await town.job()).id}")
        await page.get_by_text("How to make headings").click()
        for each in await page.locator("#markdown-help dd").all():
            box = await each.bounding_box()
            assert box is not None
            assert box["width"] > 250
        assert await page.evaluate(WIDE) <= 0
