"""A board that serves, and the people who visit it in a browser."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

PASSWORD = "a quiet sentence for tests"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 30_000  # milliseconds, for a machine that does much else meanwhile
# What Chromium says of every answer that is an error; the pages themselves are looked at.
EXPECTED = "Failed to load resource"


@dataclass
class Site:
    """A board that serves."""

    address: str
    environment: dict[str, str]


@dataclass
class People:
    """Opens windows, each with cookies of its own, and hears what the browser complains of."""

    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def arrive(self, viewport: ViewportSize, *, scripts: bool = True) -> Page:
        """Someone new, on the front page."""
        context = self.browser.new_context(
            viewport=viewport, java_script_enabled=scripts, base_url=self.address
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto("/")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and EXPECTED not in message.text:
            self.complaints.append(message.text)
