"""A real browser before the app of the tests, for what only a drawn page shows."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Page, Route, async_playwright

from tests.web.browser import SAME_ORIGIN, Browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SITE = "http://board.example.com"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@asynccontextmanager
async def drawn(browser: Browser, **options: Any) -> AsyncGenerator[Page]:
    """A page of Chromium for the person who is logged in; its `options` are Playwright's."""

    async def answer(route: Route) -> None:
        asked = route.request
        path = asked.url.removeprefix(SITE)
        fields = parse_qs(asked.post_data or "", keep_blank_values=True)
        found = await browser._send(asked.method, path, headers=dict(SAME_ORIGIN), data=fields)
        headers = {"Location": found.headers["location"]} if found.is_redirect else {}
        headers["Content-Type"] = found.headers.get("content-type", "text/plain")
        await route.fulfill(status=found.status_code, headers=headers, body=found.content)

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await chromium.new_page(base_url=SITE, **options)
        await page.route("**/*", answer)
        yield page
        await chromium.close()
