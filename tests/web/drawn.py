"""A real browser before the app of the tests, for what only a drawn page shows."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import escape
from typing import Any

from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, Route

from tests.web.browser import SAME_ORIGIN, Browser

SITE = "http://board.example.com"
TOLD = {"content-type", "user-agent", "dnt", "sec-gpc"}  # what the app hears of the browser


@asynccontextmanager
async def drawn(chromium: Chromium, browser: Browser, **options: Any) -> AsyncGenerator[Page]:
    """A page of Chromium for the person who is logged in; its `options` are Playwright's."""

    async def answer(route: Route) -> None:
        asked = route.request
        path = asked.url.removeprefix(SITE)
        told = {name: value for name, value in asked.headers.items() if name in TOLD}
        found = await browser._send(
            asked.method, path, headers=SAME_ORIGIN | told, content=asked.post_data_buffer
        )
        if found.is_redirect:
            # Chromium asks the network, not us, for where a redirect leads; a page it asks us for.
            on = f'<meta http-equiv="refresh" content="0; url={escape(found.headers["location"])}">'
            await route.fulfill(content_type="text/html", body=on)
            return
        kind = found.headers.get("content-type", "text/plain")
        await route.fulfill(status=found.status_code, content_type=kind, body=found.content)

    page = await chromium.new_page(base_url=SITE, **options)  # with a context of its own
    try:
        await page.route("**/*", answer)
        yield page
    finally:
        await page.close()
