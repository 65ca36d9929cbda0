"""The front page."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from jobboard.accounts.models import Role
from jobboard.clock import now
from jobboard.jobs import corrections, relaxing, walk
from jobboard.jobs.models import JobStatus
from jobboard.jobs.schemas import SalaryInput
from tests.web.browser import Page
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look for ways to more jobs, however busy the machine is."""
    monkeypatch.setattr(relaxing, "PATIENCE", 60)
    monkeypatch.setattr(corrections, "PATIENCE", 60)


def titles(page: Page) -> list[str]:
    return re.findall(r'<h2><a href="/jobs/[^"]+">([^<]*)</a>', page.html)


def links(page: Page, *, css_class: str) -> list[str]:
    found = re.findall(rf'<a class="{css_class}"[^>]* href="([^"]*)"', page.html)
    return [href.replace("&amp;", "&") for href in found]


async def test_an_empty_board_says_what_to_do_to_each_kind_of_visitor(town: Town) -> None:
    page = await town.stranger.get("/")
    assert page.status == 200
    assert "No jobs here yet" in page.text
    assert "/sign-up?role=employer" in page.html
    _, employer = await town.person(Role.EMPLOYER)
    assert 'href="/employer"' in (await employer.get("/")).html
    _, admin = await town.person(Role.ADMIN)
    assert "jobboard import" in (await admin.get("/")).text


async def test_a_card_says_what_one_decides_by(town: Town) -> None:
    await town.job(
        title="Baker, early shift",
        location="Hamburg, Germany",
        remote="onsite",
        employment_type="full_time",
        salary=SalaryInput(min=1650, max=2025, currency="EUR", period="hour"),
        tags=["bread"],
        published_at=now() - timedelta(days=3),
    )
    page = await town.stranger.get("/")
    for words in (
        "1 job",
        "Baker, early shift",
        "Bakery",
        "Hamburg",
        "On site",
        "Full time",
        "€16.50\N{EN DASH}20.25 an hour",
        "bread",
        "3 days ago",
    ):
        assert words in page.text, words


async def test_a_search_that_takes_too_long_offers_to_go_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "PATIENCE", -1)
    monkeypatch.setattr(walk, "FEW", -2)
    monkeypatch.setattr(walk, "FIRST", 0)
    monkeypatch.setattr(walk, "LEVELS", walk.LEVELS[7:])
    await town.job(title="Baker", published_at=now() - timedelta(days=20))
    page = await town.stranger.get("/?q=baker&posted_within=30")
    assert "Nothing fits" not in page.text
    for _ in range(40):
        if titles(page):
            break
        onward = re.search(r'href="([^"]*cursor=[^"]*)"[^>]*>Search older jobs', page.html)
        assert onward
        page = await town.stranger.get(onward[1].replace("&amp;", "&"))
    assert titles(page) == ["Baker"]


async def test_only_live_jobs_are_found(town: Town) -> None:
    await town.job(title="Live")
    await town.job(title="Over", expires_at=now() - timedelta(hours=1))
    for status in set(JobStatus) - {JobStatus.PUBLISHED}:
        await town.job(status, title=f"Not {status}")
    assert titles(await town.stranger.get("/")) == ["Live"]


async def test_the_keyboard_gets_past_the_filters(town: Town) -> None:
    page = await town.stranger.get("/")
    before_filters, _ = page.html.split('id="filters"')
    assert 'class="skip" href="#results"' in before_filters
    assert 'id="results"' in page.html


async def test_filters_count_and_hold_and_can_be_taken_away_one_by_one(town: Town) -> None:
    await town.job(title="Far", remote="remote", employment_type="full_time")
    await town.job(title="Near", remote="onsite", employment_type="full_time")
    await town.job(title="Short", remote="remote", employment_type="part_time")
    page = await town.stranger.get("/?remote=remote&employment_type=full_time&utm_source=x")
    assert titles(page) == ["Far"]
    chips = links(page, css_class="chip")
    assert chips == ["/?employment_type=full_time", "/?remote=remote"]
    assert sorted(titles(await town.stranger.get(chips[1]))) == ["Far", "Short"]
    assert re.search(r'value="onsite">On site<span class="number">1<', page.html)
    assert re.search(r'value="remote" checked>Remote<span class="number">1<', page.html)


async def test_lists_may_be_written_with_commas_or_repeated(town: Town) -> None:
    for remote in ("remote", "onsite", "hybrid"):
        await town.job(title=remote, remote=remote)
    comma = await town.stranger.get("/?remote=remote,hybrid")
    repeated = await town.stranger.get("/?remote=remote&remote=hybrid")
    assert set(titles(comma)) == set(titles(repeated)) == {"remote", "hybrid"}
    assert len(links(comma, css_class="chip")) == 2


@pytest.mark.parametrize("typed", ["40,000", "40.000", "40 000", "40000.00", "€40k"])
async def test_pay_is_typed_as_people_write_it(town: Town, typed: str) -> None:
    await town.job(title="More", salary=SalaryInput(max=4500000, currency="EUR"))
    await town.job(title="Less", salary=SalaryInput(max=3500000, currency="EUR"))
    await town.job(title="Unsaid")
    address = f"/?pay_from={typed}&currency=EUR"
    page = await town.stranger.get(address)
    assert set(titles(page)) == {"More", "Unsaid"}
    assert "From €40,000 a year" in page.text
    page = await town.stranger.get(f"{address}&undisclosed_pay=exclude")
    assert titles(page) == ["More"]


async def test_pay_that_cannot_be_read_is_said_beside_the_field_and_finds_all(town: Town) -> None:
    await town.job(title="One")
    page = await town.stranger.get("/?pay_from=much&currency=EUR")
    assert page.status == 200
    assert titles(page) == ["One"]
    assert "Write this as a number" in page.text
    assert 'value="much"' in page.html
    assert links(page, css_class="chip") == []
    assert "chosen" not in page.text
    results = page.html.partition('id="results"')[2]
    assert "Write this as a number" in results  # the filters may be folded


async def test_the_chip_of_pay_says_what_becomes_of_jobs_that_name_none(town: Town) -> None:
    await town.job()
    page = await town.stranger.get("/?pay_from=50000&currency=EUR")
    assert "From €50,000 a year, or not given" in page.text
    page = await town.stranger.get("/?pay_from=50000&currency=EUR&undisclosed_pay=exclude")
    assert "From €50,000 a year" in page.text
    assert "or not given" not in page.text


async def test_of_many_places_a_card_shows_one_and_how_many_more(town: Town) -> None:
    await town.job(location="Somewhere | Elsewhere | Nowhere | Elsewhere")
    assert "Somewhere and 2 more" in (await town.stranger.get("/")).text


async def test_the_next_page_keeps_the_filters_and_repeats_nothing(town: Town) -> None:
    for number in range(25):
        await town.job(title=f"Job {number}", remote="remote")
    first = await town.stranger.get("/?remote=remote&sort=newest")
    onward = links(first, css_class="button quiet")[-1]
    assert parse_qs(urlsplit(onward).query).keys() == {"remote", "sort", "cursor"}
    second = await town.stranger.get(onward)
    assert len(titles(first)) == 20
    assert len(titles(second)) == 5
    assert not set(titles(first)) & set(titles(second))
    assert "First page" in second.text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("cursor=nonsense", ""),
        ("remote=moon", "Workplace: "),
        ("posted_within=x", "Posted: "),
        ("country=Narnia", "Country: "),
        ("sort=up", "Sort: "),
    ],
)
async def test_a_wrong_address_is_told_kindly(town: Town, query: str, name: str) -> None:
    page = await town.stranger.get(f"/?{query}")
    assert page.status == 422
    assert "not right" in page.text
    assert name in page.text
    assert "See all jobs" in page.text
    assert 'href="/"' in page.html


async def test_nothing_found_offers_ways_out_with_counts(town: Town) -> None:
    await town.job(title="Baker", remote="onsite")
    page = await town.stranger.get("/?q=baker&remote=remote")
    assert "Nothing fits all of that" in page.text
    assert "Without “Remote”: 1 job" in page.text
    assert "/?q=baker" in links(page, css_class="button quiet")
    await town.job(title="Cook", location="Lyon, France")
    page = await town.stranger.get("/?q=baker&location=Lyon&experience=lead")
    assert "Only “baker”: 1 job" in page.text
    assert "Only in Lyon: 1 job" in page.text
    assert {"/?q=baker", "/?location=Lyon"} <= set(links(page, css_class="button quiet"))
    common = await town.stranger.get("/?q=the")
    assert "Try a title or a skill" in common.text


async def test_naughty_words_stay_words(town: Town) -> None:
    naughty = "\"><script>alert(1)</script>'"
    await town.job(title=f"Baker {naughty}", location=naughty, tags=[naughty])
    page = await town.stranger.get(f"/?q={naughty}&location={naughty}&tag={naughty}")
    assert page.status == 200
    page = await town.stranger.get("/")
    assert "<script>alert" not in page.html
    assert "<script>alert(1)</script>" in page.text


async def test_pages_are_asked_for_anew_each_time(town: Town) -> None:
    answer = await town.client.get("/")
    assert answer.headers["cache-control"] == "no-cache"
    assert "Cookie" in answer.headers["vary"]


async def test_the_usual_order_and_an_idle_currency_stay_out_of_the_address(town: Town) -> None:
    for number in range(21):
        await town.job(title=f"Baker {number}")
    page = await town.stranger.get("/?q=baker&location=&pay_from=&currency=EUR&sort=")
    assert set(parse_qs(urlsplit(links(page, css_class="button quiet")[-1]).query)) == {
        "q",
        "cursor",
    }
    assert page.form("/").fields["q"] == ["baker"]
    assert '<option value="" selected>Best match</option>' in page.html
    page = await town.stranger.get("/")
    assert '<option value="" selected>Newest first</option>' in page.html


async def test_a_radius_holds_in_the_form_a_chip_and_the_alert(town: Town) -> None:
    await town.job(title="Near", location="Potsdam, Germany")
    await town.job(title="Far", location="Hamburg, Germany")
    await town.job(title="Anywhere", location="Remote, Germany", remote="remote")
    page = await town.stranger.get("/?location=Berlin&radius_km=50")
    assert titles(page) == ["Near"]
    assert "1 job near Berlin" in page.text
    assert '<option value="50" selected>50 km' in page.html
    assert "Within 50 km" in page.text
    assert links(page, css_class="chip") == ["/?location=Berlin"]
    assert "/me/alerts/new?location=Berlin&amp;radius_km=50" in page.html
    assert "Within 500 km" not in page.text
    assert "Within 200 km" not in page.text
    assert "With remote jobs: 2 jobs" in page.text
    page = await town.stranger.get("/?location=Berlin&radius_km=50&include_remote=true")
    assert set(titles(page)) == {"Near", "Anywhere"}
    assert 'name="include_remote" value="true" checked' in page.html
    page = await town.stranger.get("/?location=&radius_km=50&q=near")
    assert titles(page) == ["Near"]  # around nothing


async def test_a_radius_around_no_known_town_is_said_and_the_words_are_searched(
    town: Town,
) -> None:
    await town.job(title="There", location="Xyzzyville")
    page = await town.stranger.get("/?location=Xyzzyville&radius_km=50")
    assert page.status == 200
    assert titles(page) == ["There"]
    assert "We know no town called Xyzzyville" in page.text
    assert links(page, css_class="chip") == []
    assert "/me/alerts/new" not in page.html.partition('id="results"')[2]
    page = await town.stranger.get("/?location=Cambridge&radius_km=50")
    assert "Cambridge, Ontario, Canada" in page.text


async def test_few_jobs_come_with_ways_to_more(town: Town) -> None:
    await town.job(title="Baker", remote="onsite", location="Hamburg, Germany")
    await town.job(title="Head baker", remote="hybrid", tags=["bread"])
    page = await town.stranger.get("/?q=baker&remote=onsite,remote&location=Hamburg")
    assert titles(page) == ["Baker"]
    assert "In any place" not in page.text  # finds no more
    page = await town.stranger.get("/?q=head+chef&tag=bread")
    assert "Nothing fits all of that. These jobs have some of the words." in page.text
    assert titles(page) == ["Head baker"]
    page = await town.stranger.get("/?q=head+chef&tag=bread&exact=true")
    assert "“head”: 1 job" in page.text
    way = next(href for href in links(page, css_class="button quiet") if "q=head&" in href)
    assert titles(await town.stranger.get(way)) == ["Head baker"]
    page = await town.stranger.get("/?q=baker&tag=bread&pay_from=50000&undisclosed_pay=exclude")
    assert "With any pay: 1 job" in page.text
    page = await town.stranger.get("/?q=baker&tag=bread&posted_within=1&country=FR,DE&company=no")
    assert "Nothing fits all of that" in page.text


async def test_pay_in_another_currency_is_told_in_the_one_that_was_asked_for(town: Town) -> None:
    francs = SalaryInput(min=9_000_000, max=10_000_000, currency="CHF")
    await town.job(title="Francs", salary=francs)
    await town.job(title="Euros", salary=SalaryInput(max=11_000_000, currency="EUR"))
    page = await town.stranger.get("/?pay_from=100000&currency=EUR")
    assert set(titles(page)) == {"Francs", "Euros"}
    assert "About €97,900\N{EN DASH}109,000 a year" in page.text
    assert 'title="By the rate of 30 October 2026, European Central Bank"' in page.html
    assert "days on which jobs were posted: European Central Bank." in page.text
    page = await town.stranger.get("/?pay_from=100000&currency=USD")
    assert "About US$109,000\N{EN DASH}122,000 a year" in page.text
    assert "Up to €110,000 a year About up to US$123,000 a year" in page.text
    page = await town.stranger.get("/")
    assert "About" not in page.text.partition("Francs")[2]
    assert "days on which jobs were posted" not in page.text
