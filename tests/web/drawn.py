"""A real browser before the app of the tests, for what only a drawn page shows."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, Route

from tests.web.browser import SAME_ORIGIN, Browser

SITE = "http://board.example.com"


@asynccontextmanager
async def drawn(chromium: Chromium, browser: Browser, **options: Any) -> AsyncGenerator[Page]:
    """A page of Chromium for the person who is logged in; its `options` are Playwright's."""

    async def answer(route: Route) -> None:
        asked = route.request
        path = asked.url.removeprefix(SITE)
        fields = parse_qs(asked.post_data or "", keep_blank_values=True)
        found = await browser._send(asked.method, path, headers=dict(SAME_ORIGIN), data=fields)
        headers = {"Location": found.headers["location"]} if found.is_redirect else {}
        headers["Content-Type"] = found.headers.get("content-type", "text/plain")
        await route.fulfill(status=found.status_code, headers=headers, body=found.content)

    page = await chromium.new_page(base_url=SITE, **options)  # with a context of its own
    try:
        await page.route("**/*", answer)
        yield page
    finally:
        await page.close()
