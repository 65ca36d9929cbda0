"""/api/docs in a real browser: a stranger logs in there and tries an operation."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from jobboard.demo.people import ADMIN, PASSWORD
from tests.chromium import needs_chromium
from tests.e2e.visitors import DESK, PATIENCE, PHONE, People, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="module")
def site(light_site: Site) -> Site:
    """The story shows what a process of its own does."""
    return light_site


def open_docs(people: People) -> Page:
    """The page on a phone, once its operations are there."""
    page = people.arrive(PHONE)
    page.goto("/api/docs")
    expect(page.locator(".opblock-tag").first).to_be_visible(timeout=PATIENCE)
    return page


def operation(page: Page, tag: str, name: str) -> Locator:
    """One operation, by what its endpoint is called, unfolded and ready to send."""
    page.locator(f".opblock-tag[data-tag='{tag}']").click()
    block = page.locator(f"[id^='operations-{tag}-{name}_api_v1_']")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def send(block: Locator) -> Locator:
    """Send it; the answer that came."""
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response").first


def log_in(page: Page) -> None:
    """With a password, in the form of the page itself."""
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".auth-container").filter(has=page.get_by_label("username:"))
    form.get_by_label("username:").fill(ADMIN)
    form.get_by_label("password:").fill(PASSWORD)
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    expect(page.get_by_text("Logout", exact=True)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Close").first.click()


def paste_a_token(page: Page) -> None:
    """One that came from elsewhere, as people with two-step log-in do."""
    asked = page.request.post(
        "/api/v1/auth/token",
        form={"grant_type": "password", "username": ADMIN, "password": PASSWORD},
    )
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_text("Logout", exact=True).click()
    form = page.locator(".auth-container").filter(has_text="AccessToken")
    form.get_by_role("textbox").fill(asked.json()["access_token"])
    form.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()


def expect_me(answer: Locator) -> None:
    """Wait until it tells who is logged in."""
    expect(answer.locator(".response-col_status").first).to_have_text(
        re.compile("^200"), timeout=PATIENCE
    )
    expect(answer).to_contain_text(ADMIN)


def test_it_fits_on_a_phone_and_one_logs_in_and_tries_an_operation(people: People) -> None:
    """One visit: Swagger UI takes seconds of processor time to open the schema."""
    page = open_docs(people)
    expect(page).to_have_title(re.compile("API"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.set_viewport_size(DESK)
    me = operation(page, "me", "get_me")
    log_in(page)
    expect_me(send(me))
    me.get_by_role("button", name="Clear").click()
    paste_a_token(page)
    expect_me(send(me))
