"""A new job finds its saved searches by their keys: the same that each search would find it by."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.alerts import index, matching
from jobboard.alerts.matching import Work
from jobboard.alerts.models import FoundJob, SavedSearch
from jobboard.alerts.refiling import refile
from jobboard.alerts.schemas import SavedCriteria
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs.criteria import JobCriteria, UndisclosedPay
from jobboard.jobs.exchange.eurofxref import Rate
from jobboard.jobs.exchange.rates import load
from jobboard.jobs.models import EmploymentType, Experience, Job, Workplace
from jobboard.jobs.search import JobSearch, search
from jobboard.jobs.synonyms import SynonymCreate, add
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user

pytestmark = pytest.mark.anyio

SEED = 20261123
WORDS = ["baker", "bread", "rolls", "night", "shift", "head", "welder", "steel", "the", "driving"]
TOWNS = ["Hamburg, Germany", "Köln", "Munich", "New York", "Lyon, France"]
PLACES = [*TOWNS, "Bonn | Lyon, France", "Berlin, Hamburg or Munich", "Remote", "Springfield"]
TAGS = ["bread", "shift work", "it's", "c++"]
COUNTRIES = ["DE", "FR", "US"]
JOBS, SEARCHES, EACH = 60, 150, 5


def some(draw: random.Random, values: Any, most: int) -> list[Any]:
    return draw.sample(list(values), draw.randint(0, most))


CURRENCIES = ["EUR", "EUR", "USD", "JPY", "KWD"]  # the last without a rate


def pay(draw: random.Random) -> dict[str, Any]:
    low = draw.randrange(20, 80) * 100_000
    return {"min": low, "max": low + 500_000, "currency": draw.choice(CURRENCIES)}


def a_job(draw: random.Random) -> dict[str, Any]:
    return {
        "title": " ".join(draw.choices(WORDS, k=draw.randint(1, 4))),
        "description": " ".join(draw.choices(WORDS, k=draw.randint(1, 12))),
        "location": draw.choice([None, *PLACES]),
        "remote": draw.choice([None, *Workplace]),
        "employment_type": draw.choice([None, *EmploymentType]),
        "experience": draw.choice([None, *Experience]),
        "tags": some(draw, TAGS, 2),
        "salary": draw.choice([None, pay(draw)]),
    }


def a_question(draw: random.Random, depth: int = 0) -> str:
    """Words as people type them: all, any, none of them, side by side."""
    kind = draw.random()
    if depth > 2 or kind < 0.4:
        return draw.choice(WORDS)
    if kind < 0.5:
        return "-" + draw.choice(WORDS)
    if kind < 0.65:
        return '"' + " ".join(draw.choices(WORDS, k=2)) + '"'
    joint = draw.choice([" ", " or "])
    return a_question(draw, depth + 1) + joint + a_question(draw, depth + 1)


def everything_to_ask(draw: random.Random, companies: list[Company]) -> dict[str, dict[str, Any]]:
    """A value for each filter that there is, by the filter's name."""
    company = draw.choice(companies)
    asked = {
        "q": a_question(draw),
        "location": draw.choice([*PLACES, "home office", "Cologne", "York", "..."]),
        "country": some(draw, COUNTRIES, 2),
        "remote": some(draw, Workplace, 2),
        "employment_type": some(draw, EmploymentType, 3),
        "experience": some(draw, Experience, 3),
        "tag": some(draw, TAGS, 2),
        "company": draw.choice([company.slug.upper(), str(company.id), company.id.hex, "nobody"]),
        "undisclosed_pay": "exclude",
        "posted_within": 3,
    }
    alone: dict[str, dict[str, Any]] = {name: {name: value} for name, value in asked.items()}
    alone["include_remote"] = {"location": draw.choice(PLACES), "include_remote": True}
    circle = {"location": draw.choice(TOWNS), "radius_km": draw.choice([10, 100, 400])}
    alone["radius_km"] = circle  # comes after `location`
    wish = {"salary_min": a_wish(draw), "currency": draw.choice(CURRENCIES)}
    return alone | {"salary_min": wish}


def a_wish(draw: random.Random) -> int:
    """Pay that some jobs offer to the cent, that is a step of the index, or out of reach."""
    return draw.choice([0, pay(draw)["max"], 2**22, 2**22 - 1, 7 * 2**20, 10**13])


def combine(things: dict[str, dict[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    """A search that asks for these at once."""
    return {key: value for name in sorted(names) for key, value in things[name].items()}


def searches(draw: random.Random, companies: list[Company]) -> Iterator[dict[str, Any]]:
    """Nothing, each filter, each pair of filters, and random ones of three."""
    names = sorted(everything_to_ask(draw, companies))
    assert set(names) == {*JobCriteria.model_fields} - {"currency"}, "a filter that nobody tries"
    for size in range(3):
        for chosen in combinations(names, size):
            for _ in range(EACH):
                yield combine(everything_to_ask(draw, companies), chosen)
    for _ in range(SEARCHES):
        yield combine(everything_to_ask(draw, companies), draw.sample(names, 3))


async def post(session: AsyncSession, settings: Settings, draw: random.Random) -> list[Company]:
    owners = [await make_user(session, settings, Role.EMPLOYER) for _ in range(2)]
    companies = [await make_company(session, owner) for owner in owners]
    for _ in range(JOBS):
        owner, company = draw.choice(list(zip(owners, companies, strict=True)))
        await make_job(session, owner, company, **a_job(draw))
    return companies


async def save(
    session: AsyncSession, user: User, searches: Iterator[SavedCriteria]
) -> dict[UUID, SavedCriteria]:
    """Saved as the service does, without its limit, before any job came."""
    ids: dict[UUID, SavedCriteria] = {}
    early = text("now() - interval '1 day'")
    for criteria in {each.fingerprint(): each for each in searches}.values():
        filed = await index.file(session, criteria)
        saved = SavedSearch(
            person_id=user.id,
            name="-",
            criteria=criteria.stored(),
            fingerprint=criteria.fingerprint(),
            **filed._asdict(),
            frequency="daily",
            since=early,
        )
        session.add(saved)
        await session.flush()
        ids[saved.id] = criteria
    return ids


async def match_all(session: AsyncSession, jobs: Sequence[UUID]) -> int:
    """As the worker does, whatever is left; in how many runs."""
    left, runs = [Work(jobs)], 0
    while left:
        left += (await matching.match(session, left.pop())).left
        runs += 1
    return runs


@pytest.mark.parametrize(("analysed", "piece"), [(False, 100_000), (True, 300)])
async def test_it_finds_exactly_what_each_search_finds(
    session: AsyncSession,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    analysed: bool,
    piece: int,
) -> None:
    monkeypatch.setattr(matching, "PIECE", piece)
    draw = random.Random(SEED)
    companies = await post(session, settings, draw)
    if analysed:  # PostgreSQL knows which words are rare
        await session.execute(text("ANALYZE live_jobs"))
    asked = map(SavedCriteria.model_validate, searches(draw, companies))
    saved = await save(session, await make_user(session, settings), asked)
    every = (await session.scalars(select(Job.id))).all()
    runs = await match_all(session, every)
    assert (runs > 1) is analysed, "many pairs are to be looked at in several runs"
    found: dict[UUID, set[UUID]] = {each: set() for each in saved}
    for search_id, job_id in await session.execute(
        select(FoundJob.saved_search_id, FoundJob.job_id)
    ):
        found[search_id].add(job_id)
    for search_id, criteria in saved.items():
        page = await search(session, JobSearch(**criteria.model_dump(), limit=100))
        assert found[search_id] == {job.id for job in page.items}, criteria.stored()
    assert len(set(map(frozenset, found.values()))) > SEARCHES / 8, "too little is found to compare"
    await session.rollback()


async def test_most_searches_are_never_run(session: AsyncSession, settings: Settings) -> None:
    draw = random.Random(SEED)
    await post(session, settings, draw)
    user = await make_user(session, settings)
    rare = (SavedCriteria(q=f"baker rareword{number}") for number in range(200))
    await save(session, user, rare)
    owner = await make_user(session, settings, Role.EMPLOYER)
    mine = await make_company(session, owner)
    job = await make_job(session, owner, mine, title="Baker rareword7", description="Bread")
    candidates = await matching.find_candidates(session, Work([job.id]))
    assert [json.loads(each.criteria) for each in candidates] == [{"q": "baker rareword7"}]
    await session.rollback()


@pytest.mark.parametrize(
    ("asked", "keys", "required"),
    [
        ({"q": "baker unheardof"}, ["wde:unheardof", "wunheardof"], []),
        ({"q": "rolls"}, ["wde:roll", "wroll", "wrolls"], []),
        ({"q": "baker or bread"}, ["wbaker", "wbread", "wde:bak", "wde:bread"], []),
        ({"q": "baker -bread"}, ["wbaker", "wde:bak"], []),
        ({"q": "bak*"}, ["*"], []),
        ({"q": "bread bak*"}, ["wbread", "wde:bread"], []),
        ({"q": "-bread"}, ["*"], []),
        ({"q": "the of"}, [], []),
        ({"q": "-bread or baker"}, ["*"], []),
        ({}, ["*"], []),
        ({"country": ["DE", "FR"], "tag": ["night"]}, ["tnight"], []),
        ({"location": "Berlin"}, ["pberlin"], []),
        ({"location": "Germany"}, ["cDE", "pgermany"], []),
        (
            {"location": "Berlin", "include_remote": True},
            ["gfrom:*", "gfrom:DE", "pberlin"],
            [],
        ),
        (
            {"location": "Berlin", "radius_km": 10},
            [f"gat:0:{row}:{column}" for row in (569, 570) for column in (773, 774)],
            [],
        ),
        ({"salary_min": 1, "currency": "EUR"}, ["m=0", "m?", "mEUR0"], []),
        (
            {"salary_min": 2**22 - 1, "currency": "EUR"},
            [f"m={7 * 2**19}", "m?", f"mEUR{7 * 2**19}"],
            [],
        ),
        ({"salary_min": 2**22, "currency": "EUR"}, [f"m={2**22}", "m?", f"mEUR{2**22}"], []),
        (
            {"salary_min": 10**13, "currency": "EUR", "undisclosed_pay": "exclude"},
            [f"m={2**43}", f"mEUR{2**43}"],
            ["m!"],
        ),
        # 23,874 euros
        ({"salary_min": 2**22, "currency": "JPY"}, [f"m={4 * 2**19}", "m?", f"mJPY{2**22}"], []),
        ({"salary_min": 2**22, "currency": "KWD"}, ["m=-", "m?", f"mKWD{2**22}"], []),
        ({"undisclosed_pay": "exclude"}, ["m!"], []),
        ({"company": "Baker-Inc"}, ["obaker-inc"], []),
    ],
)
async def test_a_search_is_filed_under_its_rarest_demand(
    session: AsyncSession, asked: dict[str, Any], keys: list[str], required: list[str]
) -> None:
    filed = await index.file(session, SavedCriteria.model_validate(asked))
    assert (filed.keys, filed.required) == (keys, required)


async def test_a_stale_search_misses_nothing_and_is_filed_anew(
    session: AsyncSession, settings: Settings
) -> None:
    owner = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, owner)
    asked = [SavedCriteria(q="baker"), SavedCriteria(q="welder"), SavedCriteria(country=["DE"])]
    saved = await save(session, await make_user(session, settings), iter(asked))
    await session.execute(text("UPDATE saved_searches SET keys = '{wold}', stale = true"))
    job = await make_job(session, owner, company, title="Baker", description="Bread")
    await match_all(session, [job.id])
    found = await session.scalars(select(FoundJob.saved_search_id))
    assert [saved[each].q for each in found] == ["baker"]
    await session.execute(
        text("UPDATE saved_searches SET criteria = '{\"q\": 1}' WHERE id = :id"),
        {"id": list(saved)[1]},
    )
    assert not await refile(session)
    rows = await session.execute(select(SavedSearch.keys).order_by(SavedSearch.id))
    assert [row.keys for row in rows] == [["wbaker", "wde:bak"], ["*"], ["cDE"]]
    assert not await session.scalar(select(SavedSearch.id).where(SavedSearch.stale))
    await session.rollback()


async def test_new_synonyms_outdate_the_searches_that_have_them(
    session: AsyncSession, settings: Settings
) -> None:
    asked = [SavedCriteria(q="head bakers"), SavedCriteria(q="welder"), SavedCriteria(tag=["x"])]
    saved = await save(session, await make_user(session, settings), iter(asked))
    await add(session, SynonymCreate(terms=["baker", "oven artist"]))
    stale = await session.scalars(select(SavedSearch.id).where(SavedSearch.stale))
    assert [saved[each].q for each in stale] == ["head bakers"]
    await refile(session)
    owner = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, owner)
    job = await make_job(session, owner, company, title="Head oven artist")
    await match_all(session, [job.id])
    found = await session.scalars(select(FoundJob.saved_search_id))
    assert [saved[each].q for each in found] == ["head bakers"]
    await session.rollback()


async def test_newer_rates_outdate_the_searches_that_they_concern(
    session: AsyncSession, settings: Settings
) -> None:
    def rates(currency: str, per_euro: str) -> list[Rate]:
        return [Rate(currency, now().date(), Decimal(per_euro), 2)]

    await load(session, rates("AED", "4"), "Us")
    asked = [
        SavedCriteria(salary_min=4_000_000, currency="AED", undisclosed_pay=UndisclosedPay.EXCLUDE),
        SavedCriteria(salary_min=1_000_000, currency="EUR"),
        SavedCriteria(q="welder"),
    ]
    saved = await save(session, await make_user(session, settings), iter(asked))
    await load(session, rates("AED", "8"), "Us")
    stale = list(await session.scalars(select(SavedSearch.id).where(SavedSearch.stale)))
    assert [saved[each].currency for each in stale] == ["AED"]
    owner = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, owner)
    for amount in (500_000, 499_999):
        salary = {"max": amount, "currency": "EUR"}
        job = await make_job(session, owner, company, salary=salary)
        await match_all(session, [job.id])
        await refile(session)  # the first was looked at while it was stale
        job = await make_job(session, owner, company, salary=salary)
        await match_all(session, [job.id])
    found = await session.execute(select(FoundJob.saved_search_id, Job.euros_max).join(Job))
    assert [tuple(row) for row in found] == [(stale[0], 500_000)] * 2
    await session.rollback()


async def test_what_the_release_before_files_is_looked_at_for_every_job(
    session: AsyncSession, settings: Settings
) -> None:
    asked = SavedCriteria(salary_min=1, currency="EUR", undisclosed_pay=UndisclosedPay.EXCLUDE)
    [saved] = await save(session, await make_user(session, settings), iter([asked]))
    old = text("UPDATE saved_searches SET keys = '{wbaker}', required = '{m!,mEUR0}'")
    await session.execute(old)
    filed = select(SavedSearch.keys, SavedSearch.required).where(SavedSearch.id == saved)
    assert (await session.execute(filed)).one() == (["*"], [])
    await session.rollback()
