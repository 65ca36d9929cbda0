"""The whole story in a real browser against a real server: from a sign-up to an invitation.

The employer and the moderator sit at a desk; the candidate has a phone without JavaScript.
"""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chromium import needs_chromium
from tests.e2e.fronted import NGINX
from tests.e2e.visitors import DESK, PASSWORD, PATIENCE, PHONE, People, Site
from tests.factories.files import pdf

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, planned: Site) -> Site:
    """As a server runs it, where nginx is there; else a web process alone."""
    request.getfixturevalue("front" if NGINX else "alone")
    return planned


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

    moderator = people.arrive(DESK)
    expect(moderator.get_by_text("No jobs here yet")).to_be_visible()
    follow(moderator, "Log in")
    moderator.get_by_label("E-mail").fill("ali@example.com")
    moderator.get_by_label("Password").fill(PASSWORD)
    press(moderator, "Log in")
    waiting = moderator.get_by_role("navigation").locator("a[href='/admin'] .number")
    expect(waiting).to_be_hidden()

    write_job(employer, "Baker, early shift", Workplace="On site")
    employer.goto("/employer/jobs/new")
    write_job(employer, "Baker of ideas", Workplace="Remote")
    expect(waiting).to_have_text("2", timeout=PATIENCE)  # it grew by itself
    follow(moderator, "Moderation")
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
    expect(page.get_by_role("status").and_(page.locator(".notice"))).to_contain_text(
        "on its way to Harbour Bakery"
    )
