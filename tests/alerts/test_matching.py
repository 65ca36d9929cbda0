"""A new job finds its saved searches by their keys: the same that each search would find it by."""

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.alerts import index, matching
from jobboard.alerts.models import FoundJob, SavedSearch
from jobboard.alerts.schemas import SavedCriteria
from jobboard.companies.models import Company
from jobboard.jobs.models import EmploymentType, Experience, Job, Workplace
from jobboard.jobs.search import JobSearch, search
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user

pytestmark = pytest.mark.anyio

SEED = 20261123
WORDS = ["baker", "bread", "rolls", "night", "shift", "head", "welder", "steel", "the", "driving"]
PLACES = ["Hamburg, Germany", "Köln", "Munich", "New York", "Lyon, France", "Remote", "Springfield"]
TAGS = ["bread", "shift work", "it's", "c++"]
COUNTRIES = ["DE", "FR", "US"]
JOBS, SEARCHES = 60, 400


def some(draw: random.Random, values: Any, most: int) -> list[Any]:
    return draw.sample(list(values), draw.randint(0, most))


def pay(draw: random.Random) -> dict[str, Any]:
    low = draw.randrange(20, 80) * 100_000
    return {"min": low, "max": low + 500_000, "currency": draw.choice(["EUR", "USD"])}


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


def a_search(draw: random.Random, companies: list[Company]) -> dict[str, Any]:
    """One to three things to ask for."""
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
        "salary": pay(draw)["min"],
    }
    names = draw.sample(list(asked), draw.randint(1, 3))
    chosen = {name: asked[name] for name in names}
    if "salary" in chosen:
        chosen |= {"salary_min": chosen.pop("salary"), "currency": "EUR"}
    return chosen


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
            keys=filed.keys,
            required=filed.required,
            frequency="daily",
            since=early,
        )
        session.add(saved)
        await session.flush()
        ids[saved.id] = criteria
    return ids


@pytest.mark.parametrize("analysed", [False, True])
async def test_it_finds_exactly_what_each_search_finds(
    session: AsyncSession, settings: Settings, analysed: bool
) -> None:
    draw = random.Random(SEED)
    companies = await post(session, settings, draw)
    if analysed:  # PostgreSQL knows which words are rare
        await session.execute(text("ANALYZE jobs"))
    asked = (SavedCriteria.model_validate(a_search(draw, companies)) for _ in range(SEARCHES))
    saved = await save(session, await make_user(session, settings), asked)
    every = (await session.scalars(select(Job.id))).all()
    await matching.match(session, every)
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
    candidates = await matching.find_candidates(session, [job.id])
    assert [each.criteria.q for each in candidates] == ["baker rareword7"]
    await session.rollback()


@pytest.mark.parametrize(
    ("asked", "keys", "required"),
    [
        ({"q": "baker bread"}, ["wbaker"], ["wbread"]),
        ({"q": "baker or bread"}, ["wbaker", "wbread"], []),
        ({"q": "baker -bread"}, ["wbaker"], []),
        ({"q": "-bread"}, ["*"], []),
        ({"q": "the of"}, [], []),
        ({"q": "-bread or baker"}, ["*"], []),
        ({}, ["*"], []),
        ({"country": ["DE", "FR"], "tag": ["night"]}, ["tnight"], []),
        ({"location": "Berlin"}, ["pberlin"], []),
        ({"location": "Germany"}, ["cDE", "pgermany"], []),
        ({"salary_min": 1, "currency": "EUR"}, ["*"], []),
    ],
)
async def test_a_search_is_filed_under_its_rarest_demand(
    session: AsyncSession, asked: dict[str, Any], keys: list[str], required: list[str]
) -> None:
    filed = await index.file(session, SavedCriteria.model_validate(asked))
    assert filed == (keys, required)
