"""What the search finds, in which order, and that its pages hold still while jobs come and go."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.errors import Invalid
from jobboard.infra.postgres import Database
from jobboard.jobs import facets
from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.orders import read_cursor
from jobboard.jobs.search import JobSearchResult, excerpt, search
from jobboard.pagination import encode_cursor
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.statements import statements

anyio = pytest.mark.anyio
Post = Callable[..., Awaitable[Job]]


@pytest.fixture
async def employer(session: AsyncSession, settings: Settings) -> User:
    """Who posts."""
    return await make_user(session, settings, Role.EMPLOYER)


@pytest.fixture
async def company(session: AsyncSession, employer: User) -> Company:
    """Where the jobs are."""
    return await make_company(session, employer, "Harbour Bakery")


@pytest.fixture
def post(session: AsyncSession, employer: User, company: Company) -> Post:
    """`post(title, **fields)` puts a job on the board. `days` is how long ago."""

    async def post(title: str, *, days: float = 0, at: Company = company, **fields: Any) -> Job:
        fields.setdefault("published_at", now() - timedelta(days=days))
        fields.setdefault("description", "Come and see.")
        return await make_job(session, employer, at, title=title, **fields)

    return post


async def find(session: AsyncSession, **query: Any) -> JobSearchResult:
    """One page; each is a request of its own."""
    result = await search(session, JobSearch.model_validate(query))
    await session.commit()
    return result


async def titles(session: AsyncSession, **query: Any) -> list[str]:
    """The titles on one page."""
    return [card.title for card in (await find(session, **query)).items]


async def walk(session: AsyncSession, **query: Any) -> list[str]:
    """The titles on all pages."""
    found, cursor = [], None
    while True:
        page = await find(session, **query, cursor=cursor)
        found += [card.title for card in page.items]
        assert len(page.items) <= query["limit"]
        assert page.items or not cursor, "a cursor led to nothing"
        assert len(found) < 100, "the pages go round in circles"
        if not (cursor := page.next_cursor):
            return found
        assert len(page.items) == query["limit"]


def pay(low: int | None, high: int | None, currency: str = "EUR") -> dict[str, Any]:
    """A salary for a year."""
    return {"min": low, "max": high, "currency": currency, "period": "year"}


# --- what is found ---


@anyio
async def test_finds_only_what_one_can_apply_to(session: AsyncSession, post: Post) -> None:
    for status in JobStatus:
        await post(status, status=status)
    await post("over, but not yet marked", expires_at=now() - timedelta(seconds=1))
    assert await titles(session) == ["published"]
    assert (await find(session)).total.value == 1


@pytest.fixture
async def three(post: Post) -> None:
    """Three jobs that differ in everything."""
    await post(
        "Baker",
        days=1,
        location="Hamburg, Germany",
        remote="onsite",
        employment_type="full_time",
        experience="junior",
        salary=pay(2_000_000, 3_000_000),
        tags=["bread", "shift work"],
        description="Knead the dough, feed the sourdough starter, open the ovens at three.",
    )
    await post(
        "Confectioner",
        days=10,
        location="Lyon, France",
        remote="hybrid",
        employment_type="part_time",
        experience="senior",
        salary=pay(4_000_000, None),
        tags=["bread", "sugar"],
        description="Sugar work and chocolate for the shop window. The ovens are new.",
    )
    await post(
        "Tax clerk",
        days=100,
        description="Sort the receipts. No dough, no sourdough, no feed.",
    )


B, C, T = "Baker", "Confectioner", "Tax clerk"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [B, C, T]),
        ({"q": "ovens"}, [B, C]),
        ({"q": "oven"}, [B, C]),
        ({"q": "BAKERS"}, [B]),
        ({"q": "oven chocolate"}, [C]),
        ({"q": "receipts or chocolate"}, [C, T]),
        ({"q": '"feed the sourdough"'}, [B]),
        ({"q": "sourdough feed"}, [B, T]),
        ({"q": "ovens -chocolate"}, [B]),
        ({"q": "-ovens"}, [T]),
        ({"q": 'dough -"sourdough starter"'}, [T]),
        ({"q": "hamburg"}, [B]),
        ({"q": "sugar"}, [C]),
        ({"q": "harbour"}, [B, C, T]),
        ({"q": "choc"}, []),
        ({"q": "oven*"}, [B, C]),
        ({"location": "Hamburg"}, [B]),
        ({"location": "hamburg germany"}, [B]),
        ({"location": "Deutschland"}, [B]),
        ({"location": "France"}, [C]),
        ({"location": "Atlantis"}, []),
        ({"location": "???"}, []),
        ({"country": ["de"]}, [B]),
        ({"country": ["DE", "FR"]}, [B, C]),
        ({"country": "DE,FR"}, [B, C]),
        ({"remote": ["hybrid"]}, [C]),
        ({"remote": ["hybrid", "onsite"]}, [B, C]),
        ({"employment_type": ["full_time"]}, [B]),
        ({"experience": ["senior", "lead"]}, [C]),
        ({"tag": ["bread"]}, [B, C]),
        ({"tag": ["bread", "Shift Work"]}, [B]),
        ({"tag": ["bread", "butter"]}, []),
        ({"posted_within": 2}, [B]),
        ({"posted_within": 11}, [B, C]),
        ({"company": "harbour-bakery"}, [B, C, T]),
        ({"company": "harbour"}, []),
        ({"company": "01900000-0000-7000-8000-000000000000"}, []),
        ({"salary_min": 3_000_000, "currency": "EUR"}, [B, C, T]),
        ({"salary_min": 3_000_001, "currency": "EUR"}, [C, T]),
        ({"salary_min": 4_000_001, "currency": "EUR"}, [T]),
        ({"salary_min": 1, "currency": "USD"}, [T]),
        ({"salary_min": 3_000_001, "currency": "EUR", "undisclosed_pay": "exclude"}, [C]),
        ({"undisclosed_pay": "exclude"}, [B, C]),
        ({"currency": "USD"}, [B, C, T]),
        ({"q": "ovens", "country": ["FR"], "remote": ["hybrid"], "tag": ["sugar"]}, [C]),
        ({"q": "ovens", "country": ["FR"], "experience": ["junior"]}, []),
        ({"posted_within": 30, "salary_min": 3_500_000, "currency": "EUR"}, [C]),
    ],
)
@anyio
async def test_every_filter_alone_and_together(
    session: AsyncSession, three: None, query: dict[str, Any], expected: list[str]
) -> None:
    assert await titles(session, **query, sort="newest") == expected
    counted = await find(session, **query, facets=True, limit=1)
    assert counted.total.model_dump() == {"value": len(expected), "relation": "eq"}


@anyio
async def test_a_company_by_slug_or_id(
    session: AsyncSession, post: Post, employer: User, company: Company
) -> None:
    other = await make_company(session, employer, "Mill")
    await post("Baker")
    await post("Miller", at=other)
    assert await titles(session, company=other.slug) == ["Miller"]
    assert await titles(session, company=other.slug.upper()) == ["Miller"]
    assert await titles(session, company=str(company.id)) == ["Baker"]


@anyio
async def test_places_are_found_under_other_names(session: AsyncSession, post: Post) -> None:
    await post("south", days=1, location="München")
    await post("north", days=2, location="Hamburg")
    await post("away", days=3, location="Remote - US", remote="remote")
    assert await titles(session, location="Munich") == ["south"]
    assert await titles(session, location="Munich, Germany") == ["south"]
    assert await titles(session, location="Germany") == ["south", "north"]
    assert await titles(session, location="home office") == ["away"]


@anyio
async def test_pay_without_a_currency_counts_as_not_said(session: AsyncSession, post: Post) -> None:
    job = await post("odd", salary=pay(None, 9_000_000))
    await session.execute(update(Job).where(Job.id == job.id).values(currency=None))
    await session.commit()
    assert await titles(session, salary_min=1, currency="EUR") == ["odd"]
    assert await titles(session, undisclosed_pay="exclude") == []


# --- words that are none ---


@pytest.mark.parametrize("q", ["the", "the and of", "-the", "!!!", '"', "%", "\\", "🎉", "---"])
@anyio
async def test_only_empty_words_find_nothing_and_say_so(
    session: AsyncSession, post: Post, q: str
) -> None:
    await post("The 100 % baker of \\ and 🎉")
    result = await find(session, q=q, facets=True)
    assert (result.items, result.total.value, result.no_words) == ([], 0, True)
    assert result.facets == {name: {} for name in facets.CHOICES}


@anyio
async def test_words_that_nothing_has_are_words(session: AsyncSession, post: Post) -> None:
    await post("Baker")
    assert (await find(session, q="xyzzy")).no_words is False
    assert (await find(session, q="baker", country=["DE"])).no_words is False
    assert (await find(session)).no_words is False


NAUGHTY = [
    "'; DROP TABLE jobs; --",
    "' OR '1'='1",
    '"unbalanced',
    'a "b" "c',
    "baker:*",
    "baker & | ! <-> (",
    "!!baker",
    "<3 baker",
    "(((((((((((",
    "a & b:ABCD",
    "-" * 500,
    "- " * 250,
    "-(!" * 160,
    "- or " * 99,
    '-"' * 250,
    '-"" ' * 120,
    "-a " * 160,
    "a -or " * 80,
    '"' * 500,
    "- - -",
    '-"the"',
    "or or or",
    "OR baker",
    "\\' \\\\",
    "%s %d %(x)s {0} {{}} $1 :q ?",
    "%%%___",
    "ﷺ ﷽",
    "\u202ereversed\u202c",
    "\ufeff\u200b\u2060",
    "e\u0301\u0301\u0301" * 100,
    "👩🏽‍🚀" * 50,
    "日本語 文字列",
    "ÅÍÎÏ˝ÓÔ",
    "\u0130I\u0131i ß\u1e9e",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "http://a/%2e%2e",
    "1e309 -1e309 NaN 0x0 ٣",
    "\t\n\r\x0b\x0c\x1b[31m",
    "\x01\x7f\x80\x9f",
    "\U0010ffff\ufffe",
    "C++ C# .NET Node.js a@b.c 1.2.3-4 -5",
    "x" * 500,
    " ".join(["ab"] * 166),
    " or ".join(["a1"] * 80),
    "-a -b -c -d",
]


@pytest.mark.parametrize("text", NAUGHTY)
@anyio
async def test_no_text_is_an_error(session: AsyncSession, post: Post, text: str) -> None:
    await post("Baker", tags=["bread"], location="Hamburg")
    for query in ({"q": text}, {"q": f"baker {text}"[:500]}, {"q": text, "sort": "salary"}):
        assert (await find(session, **query, facets=True)).total.relation == "eq"
    await find(session, location=text[:200], company=text[:200], tag=[text[:50] + "x"[len(text) :]])


@anyio
async def test_markup_of_queries_means_nothing(session: AsyncSession, post: Post) -> None:
    await post("Baker")
    await post("Clerk")
    assert await titles(session, q="baker' OR '1'='1") == ["Baker"]
    assert await titles(session, location="%") == []
    assert await titles(session, company="%") == []


# --- order ---


@anyio
async def test_title_before_tags_before_place_before_text(
    session: AsyncSession, post: Post
) -> None:
    same = {"published_at": now()}
    await post("text", description="For an orchard.", **same)
    await post("place", location="Orchard Road", **same)
    await post("tag", tags=["orchard"], **same)
    await post("orchard", **same)
    assert await titles(session, q="orchard") == ["orchard", "tag", "place", "text"]


@anyio
async def test_age_weighs_against_match(session: AsyncSession, post: Post) -> None:
    await post("Baker", days=1)
    await post("Baker, too", days=0)
    await post("Clerk", days=0, description="Beside a baker.")
    assert await titles(session, q="baker") == ["Baker, too", "Baker", "Clerk"]
    # Ten times the match is worth log2(10) = 3.3 half-lives of 30 days.
    await post("Old baker", days=90)
    await post("Ancient baker", days=110)
    found = await titles(session, q="baker")
    assert found == ["Baker, too", "Baker", "Old baker", "Clerk", "Ancient baker"]


@anyio
async def test_without_words_relevance_is_newest(session: AsyncSession, post: Post) -> None:
    await post("older", days=1)
    await post("newer")
    assert await titles(session, sort="relevance") == ["newer", "older"]
    assert await titles(session, q="harbour", sort="newest") == ["newer", "older"]


@anyio
async def test_exclusions_alone_rank_by_date(session: AsyncSession, post: Post) -> None:
    for title, days in (("one", 2), ("two", 0), ("three", 1)):
        await post(title, days=days)
    assert await walk(session, q="-xyzzy", limit=1) == ["two", "three", "one"]


@pytest.fixture
async def payroll(post: Post) -> None:
    """Pay in two currencies, and none."""
    await post("euro 30", days=1, salary=pay(1_000_000, 3_000_000))
    await post("euro 50", days=2, salary=pay(5_000_000, None))
    await post("euro 40", days=3, salary=pay(None, 4_000_000))
    await post("dollar 90", days=4, salary=pay(1, 9_000_000, "USD"))
    await post("dollar 99", days=6, salary=pay(1, 9_900_000, "USD"))
    await post("unsaid", days=5)


EUROS = ["euro 50", "euro 40", "euro 30"]


@anyio
async def test_salary_sorts_one_currency_then_the_rest(
    session: AsyncSession, payroll: None
) -> None:
    rest = ["dollar 90", "unsaid", "dollar 99"]
    for limit in (1, 2, 3, 4, 6, 7):
        assert await walk(session, sort="salary", limit=limit) == EUROS + rest
    dollars = ["dollar 99", "dollar 90", "euro 30", "euro 50", "euro 40", "unsaid"]
    for limit in (1, 2, 6):
        assert await walk(session, sort="salary", currency="USD", limit=limit) == dollars
    nobody = ["euro 30", "euro 50", "euro 40", "dollar 90", "unsaid", "dollar 99"]
    assert await walk(session, sort="salary", currency="JPY", limit=4) == nobody


@anyio
async def test_the_currency_of_the_first_page_stays(
    session: AsyncSession, payroll: None, post: Post
) -> None:
    first = await find(session, sort="salary", limit=2)
    for number in range(3):
        await post(f"dollar {number}", salary=pay(1, 2, "USD"))
    then = await find(session, sort="salary", limit=1, cursor=first.next_cursor)
    assert [card.title for card in then.items] == ["euro 30"]
    assert (await titles(session, sort="salary"))[0] == "dollar 99"


@anyio
async def test_pay_that_appears_later_does_not_turn_an_unpaid_list_round(
    session: AsyncSession, post: Post
) -> None:
    for days in range(3):
        await post(f"unsaid {days}", days=days + 1)
    first = await find(session, sort="salary", limit=1)
    await post("new", salary=pay(1, 2))
    then = await find(session, sort="salary", cursor=first.next_cursor)
    assert [card.title for card in then.items] == ["unsaid 1", "unsaid 2"]


# --- counts ---


@anyio
async def test_a_facet_leaves_its_own_filter_out(session: AsyncSession, post: Post) -> None:
    for number, (contract, remote, level, place) in enumerate(
        [
            ("full_time", "remote", "mid", "Hamburg, Germany"),
            ("full_time", "remote", "senior", "Lyon, France"),
            ("part_time", "remote", "mid", "Berlin, Germany"),
            ("full_time", "onsite", "mid", None),
            (None, None, None, "Bremen, Germany"),
        ]
    ):
        kinds = {"employment_type": contract, "remote": remote, "experience": level}
        await post(f"Baker {number}", location=place, **kinds)
    await post("Clerk", employment_type="full_time", remote="remote", location="Bonn, Germany")

    result = await find(session, q="baker", facets=True)
    assert result.facets == {
        "employment_type": {"full_time": 3, "part_time": 1},
        "remote": {"remote": 3, "onsite": 1},
        "experience": {"mid": 3, "senior": 1},
        "country": {"DE": 3, "FR": 1},
    }
    query = {"q": "baker", "employment_type": ["full_time"], "remote": ["remote"]}
    result = await find(session, **query, facets=True)
    assert (result.total.value, result.facets) == (
        2,
        {
            "employment_type": {"full_time": 2, "part_time": 1},
            "remote": {"remote": 2, "onsite": 1},
            "experience": {"mid": 1, "senior": 1},
            "country": {"DE": 1, "FR": 1},
        },
    )
    for facet, counts in (result.facets or {}).items():  # each count is what choosing would bring
        for value, jobs in counts.items():
            chosen = query | {facet: [value]}
            assert (await find(session, **chosen)).total.value == jobs
    assert list(result.facets or {}) == list(facets.CHOICES)
    assert (await find(session, q="baker")).facets is None


@anyio
async def test_counting_stops_at_a_cap_and_says_so(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "COUNT_CAP", 3)
    for number in range(3):
        await post(f"Baker {number}")
    assert (await find(session)).total.model_dump() == {"value": 3, "relation": "eq"}
    await post("Baker, fourth")
    assert (await find(session)).total.model_dump() == {"value": 3, "relation": "gte"}
    assert (await find(session, limit=1)).total.model_dump() == {"value": 3, "relation": "gte"}
    assert (await find(session, facets=True)).total.model_dump() == {"value": 4, "relation": "eq"}


@anyio
async def test_a_page_is_a_handful_of_statements(
    db: Database, session: AsyncSession, post: Post
) -> None:
    for number in range(30):
        await post(f"Baker {number}")
    with statements(db) as seen:
        assert len(await titles(session, q="baker", facets=True, limit=30)) == 30
    assert len(seen) == 3  # how to plan, the page, the counts


# --- pages ---


@pytest.mark.parametrize("seed", range(4))
@anyio
async def test_pages_joined_are_the_whole_list(
    session: AsyncSession, post: Post, seed: int
) -> None:
    """Against a plain sort in Python, with many ties and many jobs that say no pay."""
    dice = random.Random(seed)
    start = now()
    jobs = []
    for number in range(25):
        figure = dice.choice([None, None, 1_000, 2_000, 3_000])
        salary = None if figure is None else pay(figure, dice.choice([None, figure]))
        when = start - timedelta(days=dice.randrange(3))
        words = " ".join(["baker"] * dice.randrange(3))
        title = f"{number} {words}".strip()
        jobs.append(await post(title, published_at=when, salary=salary, description=words or "x"))

    def newest(job: Job) -> tuple[datetime, Any]:
        assert job.published_at
        return job.published_at, job.id

    def best_paid(job: Job) -> tuple[Any, ...]:
        return job.yearly_max or job.yearly_min or -1, *newest(job)

    by_date = [job.title for job in sorted(jobs, key=newest, reverse=True)]
    by_pay = [job.title for job in sorted(jobs, key=best_paid, reverse=True)]
    by_match = await titles(session, q="baker", limit=100)
    assert 0 < len(by_match) < 25
    for limit in (1, 2, 7, 24, 25, 26):
        assert await walk(session, limit=limit) == by_date
        assert await walk(session, limit=limit, sort="salary") == by_pay
        assert await walk(session, limit=limit, q="baker") == by_match


@pytest.mark.parametrize(
    "query", [{}, {"q": "baker"}, {"sort": "salary"}, {"q": "baker", "sort": "newest"}]
)
@anyio
async def test_pages_hold_still_while_jobs_come_and_go(
    session: AsyncSession, post: Post, query: dict[str, Any]
) -> None:
    jobs = {}
    for number in range(20):
        salary = pay(None, 1000 + number % 5) if number % 3 else None
        job = await post(f"Baker {number}", days=number % 4, salary=salary)
        jobs[job.title] = job
    before = await titles(session, **query, limit=100)
    assert len(before) == 20

    seen, closed, cursor = [], set(), None
    for step in range(20):
        page = await find(session, **query, limit=3, cursor=cursor)
        seen += [card.title for card in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        salary = pay(None, 100_000) if step % 2 else None
        await post(f"Baker, new {step}", days=0 if step % 3 else 9, salary=salary)
        gone = {page.items[-1].title, before[-1 - step]}  # one just read, one still to come
        closed |= gone
        await session.execute(
            update(Job).where(Job.title.in_(gone)).values(status=JobStatus.CLOSED)
        )
        await session.commit()

    assert cursor is None
    assert len(seen) == len(set(seen))
    old = [title for title in seen if title in jobs]
    assert old == [title for title in before if title in set(old)]
    assert set(before) - set(old) <= closed


# --- cursors ---


async def cursors_of(session: AsyncSession, *queries: dict[str, Any]) -> list[str]:
    """The cursor after the first job of each search."""
    found = [(await find(session, **query, limit=1)).next_cursor for query in queries]
    return [cursor for cursor in found if cursor]


@anyio
async def test_a_cursor_leads_on_in_its_own_search_only(session: AsyncSession, post: Post) -> None:
    for number in range(3):
        await post(f"Baker {number}", employment_type="full_time")
    searches: list[dict[str, Any]] = [
        {},
        {"sort": "salary"},
        {"sort": "salary", "currency": "USD"},
        {"q": "baker"},
        {"q": "bakers"},
        {"q": "baker", "sort": "newest"},
        {"q": "baker", "sort": "salary"},
        {"employment_type": ["full_time"]},
        {"posted_within": 2},
    ]
    cursors = await cursors_of(session, *searches)
    assert len(cursors) == len(searches)
    for here, query in enumerate(searches):
        for there, cursor in enumerate(cursors):
            if here == there:
                assert len(await titles(session, **query, cursor=cursor)) == 2
            else:
                with pytest.raises(Invalid) as refused:
                    await find(session, **query, cursor=cursor)
                assert refused.value.code == "invalid_cursor"


@anyio
async def test_a_cursor_serves_another_limit_and_facets(session: AsyncSession, post: Post) -> None:
    for number in range(4):
        await post(f"Baker {number}", days=number)
    [cursor] = await cursors_of(session, {"q": "baker", "sort": "relevance"})
    found = await titles(session, q="baker", cursor=cursor, limit=2, facets=True)
    assert found == ["Baker 1", "Baker 2"]


HASH = JobSearch().fingerprint()
PAY_HASH = JobSearch(sort=Sort.SALARY).fingerprint()
MATCH_HASH = JobSearch(q="a").fingerprint()
DAY, ID = "2026-01-01T00:00:00+00:00", "01900000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({}, ()),
        ({}, (DAY, ID)),
        ({}, (HASH, None, DAY, ID)),
        ({}, (HASH, None, DAY, ID, "", "", "")),
        ({}, (HASH, 1, DAY, ID, "", "")),
        ({}, (HASH, None, DAY, ID, None, "")),
        ({}, (HASH, None, DAY, ID, "EUR\x00", "")),
        ({}, (HASH, None, DAY, "x", "", "")),
        ({}, (HASH, None, "yesterday", ID, "", "")),
        ({}, (HASH, None, "2026-01-01T00:00:00", ID, "", "")),
        ({}, (HASH, None, "0001-01-01T00:00:00+14:00", ID, "", "")),
        ({}, (HASH, None, "9999-12-31T23:59:59-14:00", ID, "", "")),
        ({}, (HASH[:-1], None, DAY, ID, "", "")),
        ({}, ("", None, DAY, ID, "", "")),
        ({"sort": "salary"}, (PAY_HASH, 1.0, DAY, ID, "EUR", "")),
        ({"sort": "salary"}, (PAY_HASH, None, DAY, ID, "EUR", "")),
        ({"sort": "salary"}, (PAY_HASH, True, DAY, ID, "EUR", "")),
        ({"sort": "salary"}, (PAY_HASH, 2**63, DAY, ID, "EUR", "")),
        ({"sort": "salary"}, (PAY_HASH, -(2**70), DAY, ID, "EUR", "")),
        ({"sort": "salary"}, (PAY_HASH, 1, DAY, ID, "EURO", "")),
        ({"sort": "salary"}, (PAY_HASH, 1, DAY, ID, "eur", "")),
        ({"q": "a"}, (MATCH_HASH, float("nan"), DAY, ID, "", "")),
        ({"q": "a"}, (MATCH_HASH, float("inf"), DAY, ID, "", "")),
        ({"q": "a"}, (MATCH_HASH, -1e300, DAY, ID, "", "")),
        ({"q": "a"}, (MATCH_HASH, 1, DAY, ID, "", "")),
        ({}, (HASH, None, DAY, ID, "", "x")),
    ],
)
def test_made_up_cursors_are_refused(query: dict[str, Any], key: tuple[Any, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        read_cursor(JobSearch(**query, cursor=encode_cursor(*key)))
    assert refused.value.code == "invalid_cursor"


@anyio
async def test_mangled_cursors_are_refused_or_harmless(session: AsyncSession, post: Post) -> None:
    for number in range(3):
        await post(f"Baker {number}")
    [cursor] = await cursors_of(session, {"q": "baker"})
    dice = random.Random(1)
    whole = await titles(session, q="baker")
    outcomes = []
    for _ in range(200):
        at = dice.randrange(len(cursor))
        mangled = cursor[:at] + dice.choice("aZ09-_=+/ é\x7f") + cursor[at + dice.randrange(3) :]
        try:
            outcomes.append(await titles(session, q="baker", cursor=mangled))
        except Invalid as refused:
            outcomes.append([refused.code])
    read = [each for each in outcomes if each != ["invalid_cursor"]]
    assert len(read) < len(outcomes) / 2
    assert all(each == whole[len(whole) - len(each) :] for each in read)  # an end of the list


@given(st.text(max_size=600))
def test_no_text_is_mistaken_for_a_cursor(text: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(JobSearch.model_construct(cursor=text))


# --- criteria and cards ---


@given(st.dictionaries(st.sampled_from(sorted(JobSearch.model_fields)), st.text(max_size=30)))
def test_any_form_is_read_or_refused_by_field(form: dict[str, str]) -> None:
    try:
        data = JobSearch.model_validate(form)
    except ValidationError as refused:
        data, places = JobSearch(), [error["loc"] for error in refused.errors()]
        assert all(places)
    assert data.order in Sort
    assert len(data.fingerprint()) == 12


def test_empty_fields_are_absent() -> None:
    form = dict.fromkeys(JobSearch.model_fields, " ")
    assert JobSearch.model_validate(form) == JobSearch()
    lists = {"country": ["", " "], "tag": [""], "remote": [","]}
    assert JobSearch.model_validate(lists) == JobSearch()


def test_lists_mean_the_same_in_any_order() -> None:
    one = JobSearch.model_validate({"country": ["fr", "DE", "uk"], "remote": "remote,hybrid"})
    two = JobSearch.model_validate({"country": "GB, DE,FR", "remote": ["hybrid", "remote"]})
    assert one == two
    assert one.fingerprint() == two.fingerprint()


def test_an_amount_needs_a_currency() -> None:
    with pytest.raises(ValidationError) as refused:
        JobSearch.model_validate({"salary_min": "5", "currency": ""})
    [error] = refused.value.errors()
    assert error["loc"] == ("currency",)
    assert "currency" in error["msg"]
    JobSearch.model_validate({"salary_min": "", "currency": "EUR"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  Short\n\n text ", "Short text"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("word, " * 60, ("word, " * 60)[:196] + "…"),
    ],
)
def test_an_excerpt_ends_at_a_word(text: str, expected: str) -> None:
    assert excerpt(text) == expected


@given(st.text(max_size=500))
def test_an_excerpt_is_short_and_from_the_beginning(text: str) -> None:
    made = excerpt(text)
    assert len(made) <= 200
    assert " ".join(text.split()).startswith(made.removesuffix("…").rstrip())


@anyio
async def test_a_card_has_no_long_text(session: AsyncSession, post: Post) -> None:
    job = await post("Baker", description="Bread. " * 2000, apply_url="https://example.com/apply")
    [card] = (await find(session)).items
    assert card.id == job.id
    assert card.apply_url == job.apply_url
    assert card.excerpt.endswith("Bread…")
    assert len(card.model_dump_json()) < 1500
