"""What the search finds, by filters and by words that are none."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs import facets
from jobboard.jobs.models import Job, JobStatus
from tests.factories.companies import make_company
from tests.factories.people import User
from tests.jobs.searching import Post, find, pay, titles

anyio = pytest.mark.anyio


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
        ({"salary_min": 1, "currency": "USD"}, [B, C, T]),
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
