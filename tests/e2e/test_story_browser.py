"""The whole story in a real browser against a real server: from a sign-up to an invitation.

The employer and the moderator sit at a desk; the candidate has a phone without JavaScript.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from jobboard.cli.processes import web_command
from tests.boards import Servers, at, new_database
from tests.e2e.boards import free_port, jobboard
from tests.factories.files import pdf

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "a quiet sentence for tests"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 10_000  # milliseconds, for a machine that does much else meanwhile
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


@pytest.fixture
def site(board: Servers, tmp_path: Path) -> Iterator[Site]:
    """A web process of its own, with an empty database and one moderator."""
    with ExitStack() as stack:
        name = stack.enter_context(new_database(board.database_url, template=board.template))
        port = free_port()
        site = Site(f"http://127.0.0.1:{port}", _environment(board, name, tmp_path, port))
        subprocess.run(
            jobboard("create-admin", "--email", "ali@example.com", "--name", "Ali Admin"),
            input=PASSWORD,
            env=site.environment,
            text=True,
            check=True,
            capture_output=True,
        )
        server = subprocess.Popen(
            web_command("--host", "127.0.0.1", "--port", str(port)), env=site.environment
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        _wait_for(f"{site.address}/readyz")
        yield site


def _environment(board: Servers, database: str, folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOBBOARD_")}
    return kept | {
        "JOBBOARD_DATABASE_URL": at(board.database_url, database),
        "JOBBOARD_REDIS_URL": board.redis_url,
        "JOBBOARD_MONGO_URL": board.mongo_url,
        "JOBBOARD_STORAGE_URL": folder.as_uri(),
        "JOBBOARD_SECRET_KEY": "a secret of the tests, thirty-two characters and more",
        "JOBBOARD_BASE_URL": f"http://127.0.0.1:{port}",
    }


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"{address} never answered")


@pytest.fixture
def people(site: Site) -> Iterator[People]:
    """A Chromium; at the end it must have had nothing to complain of."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((path for name in names if (path := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        everyone = People(browser, site.address)
        yield everyone
        browser.close()
    assert everyone.complaints == []


def press(page: Page, name: str) -> None:
    """A button by its words."""
    page.get_by_role("button", name=name, exact=True).first.click()


def labelled(page: Page, words: str) -> Locator:
    """A field whose label begins with these words."""
    return page.get_by_label(re.compile(f"^{re.escape(words)}"))


def follow(page: Page, name: str | re.Pattern[str]) -> None:
    """A link by its words."""
    page.get_by_role("link", name=name).first.click()


def sign_up(page: Page, name: str, email: str) -> None:
    """From the form to being logged in."""
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Create account")
    expect(page.get_by_label("E-mail")).to_have_value(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Log in")


def write_job(page: Page, title: str, **chosen: str) -> None:
    """Fill in the form of a job and send it in."""
    labelled(page, "Title").fill(title)
    labelled(page, "Description").fill("## What you do\n\nYou bake, from three to seven.")
    labelled(page, "Place").fill("Hamburg, Germany")
    labelled(page, "From").fill("32.000")
    labelled(page, "Up to").fill("38,000")
    for name, option in chosen.items():
        labelled(page, name).select_option(option)
    press(page, "Send to moderators")


def expect_found(page: Page, *titles: str) -> None:
    """Wait until the search shows these jobs and no other."""
    expect(page.locator("#results h2")).to_have_text(list(titles))


def test_from_a_sign_up_to_an_invitation(people: People) -> None:
    employer = people.arrive(DESK)
    follow(employer, "For employers")
    expect(employer.get_by_label("I offer work")).to_be_checked()
    sign_up(employer, "Erin Employer", "erin@example.com")
    follow(employer, "Set up your company")
    employer.get_by_label("Name").fill("Harbour Bakery")
    press(employer, "Set up and write a job")
    write_job(employer, "Baker, early shift", Workplace="On site")
    employer.goto("/employer/jobs/new")
    write_job(employer, "Baker of ideas", Workplace="Remote")

    moderator = people.arrive(DESK)
    expect(moderator.get_by_text("No jobs here yet")).to_be_visible()
    follow(moderator, "Log in")
    moderator.get_by_label("E-mail").fill("ali@example.com")
    moderator.get_by_label("Password").fill(PASSWORD)
    press(moderator, "Log in")
    follow(moderator, "Read the oldest first")
    for _ in range(2):
        moderator.get_by_role("button", name=re.compile("^Approve")).first.click()
    expect(moderator.get_by_text("Every job has been read")).to_be_visible()

    search_with_scripts(people.arrive(DESK))
    candidate = people.arrive(PHONE, scripts=False)
    apply_without_scripts(candidate)

    employer.goto("/employer")
    follow(employer, "1 application")
    follow(employer, "Cam Candidate")
    expect(employer.get_by_text("I rise early.")).to_be_visible()
    with employer.expect_download() as download:
        follow(employer, "Open the résumé")
    assert download.value.suggested_filename == "Lebenslauf.pdf"
    press(employer, "Invite to interview")

    candidate.goto("/me/applications")
    follow(candidate, "Baker, early shift")
    expect(candidate.locator(".timeline")).to_have_text(
        re.compile(
            "You sent your application.*Harbour Bakery viewed it for the first time"
            ".*Harbour Bakery wants to meet you",
            re.DOTALL,
        )
    )


def search_with_scripts(page: Page) -> None:
    """Filters take effect at once, the address says them, and going back undoes them."""
    page.get_by_label("What", exact=True).fill("baker")
    press(page, "Search")
    expect(page.locator("#results h1")).to_have_text("2 jobs for “baker”")
    page.evaluate("window.stayed = true")
    page.get_by_label("Remote").check()
    expect(page.locator("#results h1")).to_have_text("1 job for “baker”")
    expect_found(page, "Baker of ideas")
    expect(page).to_have_url(re.compile(r"/\?q=baker&remote=remote$"))
    expect(page.locator("#said")).to_have_text("1 job for “baker”")
    expect(page.get_by_label("Remote")).to_be_focused()
    page.go_back()
    expect(page.locator("#results h1")).to_have_text("2 jobs for “baker”")
    page.get_by_label("On site").check()
    follow(page, re.compile("Remove the filter On site"))
    expect(page.get_by_label("On site")).not_to_be_checked()
    expect(page.locator("#results h2")).to_have_count(2)
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    follow(page, "Baker, early shift")
    expect(page.get_by_role("heading", name="Baker, early shift")).to_be_visible()
    expect(page.locator(".job-pay")).to_have_text("€32,000\N{EN DASH}38,000 a year")
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()


def apply_without_scripts(page: Page) -> None:
    """Search, filter, sign up on the way, and send an application with a résumé."""
    page.get_by_label("What", exact=True).fill("baker")
    press(page, "Search")
    page.locator(".filters > summary").click()
    page.get_by_label("On site").check()
    press(page, "Show jobs")
    expect_found(page, "Baker, early shift")
    follow(page, "Baker, early shift")
    page.locator(".apply-bar").get_by_role("link", name="Apply for this job").click()
    page.get_by_role("main").get_by_role("link", name="sign up").first.click()
    expect(page.get_by_label("I look for work")).to_be_checked()
    sign_up(page, "Cam Candidate", "cam@example.com")
    page.get_by_label("Your résumé").set_input_files(
        {"name": "Lebenslauf.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    page.get_by_label("A few words to them").fill("I rise early.")
    page.get_by_label("Harbour Bakery may see my name").check()
    press(page, "Send application")
    expect(page.get_by_role("status")).to_contain_text("on its way to Harbour Bakery")
