"""Pages of invitations: an owner asks, a person accepts, whoever they are by then."""

import pytest

from jobboard.accounts.models import Role
from tests.factories.people import PASSWORD
from tests.letters import Mailbox
from tests.web.browser import Browser, Page
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio

NEWCOMER = "nia@example.com"


@pytest.fixture
async def erin(town: Town) -> Browser:
    return await town.browser(town.owner)


async def invite(town: Town, erin: Browser, email: str, **more: str) -> Page:
    """As the owner does; the page that says so."""
    company = f"/employer/companies/{town.company.id}"
    page = await erin.get(company)
    return await erin.follow(await erin.submit(page, f"{company}/members", email=email, **more))


async def test_someone_new_is_led_through_the_sign_up(
    town: Town, erin: Browser, mailbox: Mailbox
) -> None:
    page = await invite(town, erin, NEWCOMER, role="owner")
    assert f"{NEWCOMER} is invited" in page.text
    assert "Owner" in page.text
    token = await mailbox.link(NEWCOMER, "/invitation")
    link, browser = f"/invitation?token={token}", town.stranger
    page = await browser.get(link)
    assert "You would be an owner" in page.text
    assert not page.offers("/invitation")
    onward = page.html.partition('href="/sign-up?next=')[2].partition('"')[0]
    form = await browser.get(f"/sign-up?next={onward.replace('&amp;', '&')}")
    assert form.form("/sign-up").fields["role"] == ["employer"]
    person = {"full_name": "Nia New", "email": NEWCOMER, "password": PASSWORD}
    log_in = await browser.follow(await browser.submit(form, "/sign-up", **person))
    inside = await browser.submit(log_in, "/log-in", password=PASSWORD)
    assert inside.location == link
    page = await browser.follow(inside)
    done = await browser.follow(await browser.submit(page, "/invitation"))
    assert "You act for Bakery now" in done.text
    assert "Nia New" in (await erin.get(f"/employer/companies/{town.company.id}")).text
    again = await browser.get(link)
    assert (again.status, again.offers("/invitation")) == (422, False)
    posted = await browser.post("/invitation", page.form("/invitation").fields)
    assert "This invitation is over" in posted.text


async def test_each_visitor_is_told_what_is_missing(
    town: Town, erin: Browser, mailbox: Mailbox
) -> None:
    candidate, cam = await town.person()
    _, rory = await town.person(Role.EMPLOYER)
    await invite(town, erin, candidate.actor.email)
    link = f"/invitation?token={await mailbox.link(candidate.actor.email, '/invitation')}"
    for browser, words in (
        (town.stranger, "Log in with that address, or sign up with it"),
        (rory, "you are logged in as"),
        (cam, "only employers act for companies"),
    ):
        page = await browser.get(link)
        assert page.status == 200
        assert words in page.text
        assert not page.offers("/invitation")


async def test_an_owner_withdraws_one(town: Town, erin: Browser, mailbox: Mailbox) -> None:
    page = await invite(town, erin, NEWCOMER)
    link = f"/invitation?token={await mailbox.link(NEWCOMER, '/invitation')}"
    (action,) = [form.action for form in page.forms if form.action.endswith("/withdraw")]
    gone = await erin.follow(await erin.submit(page, action))
    assert "is withdrawn" in gone.text
    assert NEWCOMER not in gone.text
    assert (await town.stranger.get(link)).status == 422
    assert (await erin.post(action, page.form(action).fields)).status == 404


async def test_a_recruiter_neither_invites_nor_sees_who_is_invited(
    town: Town, erin: Browser, mailbox: Mailbox
) -> None:
    recruiter, browser = await town.person(Role.EMPLOYER)
    await invite(town, erin, recruiter.actor.email)
    token = await mailbox.link(recruiter.actor.email, "/invitation")
    page = await browser.get(f"/invitation?token={token}")
    await browser.submit(page, "/invitation")
    await invite(town, erin, NEWCOMER)
    page = await browser.get(f"/employer/companies/{town.company.id}")
    assert NEWCOMER not in page.text
    assert "Invite a colleague" not in page.text
