"""From a search page to an alert and back, and the list of one's alerts."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser as Chromium

from jobboard.infra.postgres import Database
from jobboard.jobs import news
from jobboard.web.alerts import SAVED
from tests.factories.alerts import make_saved_search
from tests.letters import Mailbox
from tests.web.conftest import Town
from tests.web.drawn import drawn
from tests.web.test_accounts import NEWCOMER

pytestmark = pytest.mark.anyio

QUERY = "q=baker&location=Hamburg&pay_from=30%2C000&currency=EUR&remote=onsite&tag=bread"
OFFER = f"/me/alerts/new?{QUERY}"


async def test_a_visitor_signs_up_on_the_way_and_their_search_is_saved(town: Town) -> None:
    browser = town.stranger
    search = await browser.get(f"/?{QUERY}&sort=salary")
    assert "E-mail me new jobs like these" in search.text
    assert OFFER.replace("&", "&amp;") in search.html
    sent_away = await browser.get(OFFER)
    log_in = await browser.follow(sent_away)
    wished = log_in.form("/log-in").fields["next"]
    assert wished == [OFFER]
    sign_up = await browser.get(f"/sign-up?{urlsplit(sent_away.location).query}")
    done = await browser.submit(sign_up, "/sign-up", **NEWCOMER)
    assert parse_qs(urlsplit(done.location).query)["next"] == [OFFER]
    inside = await browser.submit(
        await browser.follow(done), "/log-in", password=NEWCOMER["password"]
    )
    assert inside.location == OFFER
    page = await browser.follow(inside)
    for words in ("“baker”", "Hamburg", "On site", "bread", "From €30,000 a year"):
        assert words in page.text
    assert page.form("/me/alerts").fields["frequency"] == ["daily"]
    saved = await browser.submit(page, "/me/alerts", time_zone="Europe/Berlin")
    assert saved.location == f"/?{QUERY}"
    assert SAVED in (await browser.follow(saved)).text
    listed = await browser.get("/me/alerts")
    assert "baker, Hamburg, bread, onsite, from 30000 EUR" in listed.text
    assert listed.form("/me/alerts/time-zone").fields["time_zone"] == ["Europe/Berlin"]
    again = await browser.submit(page, "/me/alerts", name="Other")
    assert again.status == 409
    assert "You have saved this search already" in again.text


async def test_one_is_looked_at_changed_paused_and_deleted(town: Town, db: Database) -> None:
    user, browser = await town.person()
    saved = await make_saved_search(town.session, user, q="baker")
    job = await town.job(title="Baker by night")
    news.published(town.session, [job.id])
    await town.session.commit()
    await Mailbox(town.settings, db).read()
    one = f"/me/alerts/{saved.id}"
    assert "1 new job" in (await browser.get("/me/alerts")).text
    found = await browser.follow(await browser.get(one))
    assert "Baker by night" in found.text
    page = await browser.get("/me/alerts")
    assert "1 new job" not in page.text
    await browser.submit(page, one, name="Bread & rolls", frequency="weekly")
    page = await browser.get("/me/alerts")
    assert "Bread & rolls" in page.text
    assert "On Mondays, last mail" in page.text
    page = await browser.follow(await browser.submit(page, f"{one}/pause"))
    assert "Paused" in page.text
    page = await browser.follow(await browser.submit(page, f"{one}/pause"))
    assert "Paused" not in page.text
    page = await browser.follow(await browser.submit(page, f"{one}/delete"))
    assert "No job alerts yet" in page.text


async def test_who_wants_no_mail_is_told_so_where_they_ask_for_it(town: Town) -> None:
    user, browser = await town.person()
    await make_saved_search(town.session, user)
    await browser.submit(await browser.get("/me/mail"), "/me/mail", alerts="")
    assert "You told us not to mail you new jobs" in (await browser.get("/me/alerts")).text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"frequency": "hourly"}, "This must be"),
        ({"time_zone": "Middle/Earth"}, "This is no time zone"),
        ({"name": "x" * 201}, "at most 200 characters"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_saved(
    town: Town, changes: dict[str, str], says: str
) -> None:
    _, browser = await town.person()
    page = await browser.submit(await browser.get(OFFER), "/me/alerts", **changes)
    assert page.status == 422
    assert says in page.text
    assert "“baker”" in page.text
    assert "No job alerts yet" in (await browser.get("/me/alerts")).text


async def test_the_browser_knows_where_its_reader_lives(town: Town, chromium: Chromium) -> None:
    _, browser = await town.person()
    async with drawn(chromium, browser, timezone_id="America/New_York") as page:
        await page.goto("/me/alerts/new")
        assert await page.input_value("#f-time_zone") == "America/New_York"
