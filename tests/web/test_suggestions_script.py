"""Suggestions below the boxes of the search, by keyboard and by pointer."""

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from tests.chromium import needs_chromium
from tests.jobs.test_corrections import count
from tests.web.conftest import Town
from tests.web.drawn import drawn

pytestmark = [pytest.mark.anyio, pytest.mark.browser, needs_chromium]


async def test_suggestions_are_chosen_by_keyboard_and_by_pointer(
    town: Town, chromium: Chromium
) -> None:
    await town.job(title="Miller", tags=["milling"], location="Hamburg, Germany")
    await count(town.session)
    async with drawn(chromium, town.stranger) as page:
        await page.goto("/")
        box, options = (
            page.get_by_role("combobox", name="What"),
            page.locator("[role=option]:visible"),
        )
        place = await page.locator("#results").bounding_box()
        await box.press_sequentially("Mil")
        await expect(options).to_have_text(["Miller title", "milling skill"])
        await expect(page.locator("#said")).to_have_text("2 suggestions")
        assert await page.locator("#results").bounding_box() == place, "nothing moves"
        await expect(box).to_have_attribute("aria-expanded", "true")
        await box.press("ArrowUp")
        chosen = await box.get_attribute("aria-activedescendant")
        assert await page.locator("[aria-selected=true]").get_attribute("id") == chosen
        await box.press("Escape")
        await expect(options).to_have_count(0)
        assert await box.input_value() == "Mil"
        await box.press("ArrowDown")
        await expect(options).to_have_count(2)
        await box.press("ArrowDown")
        await box.press("Enter")
        await page.wait_for_url("**/?q=Miller*")
        where = page.get_by_role("combobox", name="Where")
        await where.press_sequentially("ham")
        await options.click()
        await page.wait_for_url("**location=Hamburg*")
        await expect(page.locator("h1")).to_have_text("1 job for “Miller” in Hamburg, Germany")
        await expect(options).to_have_count(0)
