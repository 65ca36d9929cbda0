"""In which order the search shows what it finds."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.pagination import encode_cursor
from tests.jobs.searching import Post, find, pay, titles, walk

anyio = pytest.mark.anyio


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
    # A title of twice as many words is worth two half-lives of 30 days, one without it twenty.
    await post("Night baker", days=0)
    await post("Old baker", days=80)
    await post("Ancient baker", days=500)
    await post("Prehistoric baker", days=700)
    assert await titles(session, q="baker") == [
        "Baker, too",
        "Baker",
        "Night baker",
        "Old baker",
        "Ancient baker",
        "Clerk",
        "Prehistoric baker",
    ]


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


BEST_PAID: list[dict[str, Any]] = [
    {"q": "baker", "limit": 4},
    {"q": "-baker", "limit": 1},
    {"q": "bak*", "salary_min": 40_000, "currency": "EUR", "limit": 3},
    {"salary_min": 40_000, "currency": "USD", "undisclosed_pay": "exclude", "limit": 100},
]


@anyio
@pytest.mark.parametrize(
    "way",
    [
        {"bestpaid.TRIED": 4, "facets.COUNT_CAP": 2},  # one by one, then by steps
        {"bestpaid.TRIED": 18, "facets.COUNT_CAP": 2},  # one by one
        {"bestpaid.TRIED": 4, "walk.PATIENCE": -1, "walk.FEW": -2},  # always late
    ],
)
async def test_every_way_to_the_best_paid_gives_the_same(
    way: dict[str, int], session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        currency = ("EUR", "USD", "AED", "QAR")[number % 4]
        salary = None if number % 7 == 3 else pay(None, 1_000 * 2 ** (number % 9), currency)
        title = "Baker" if number % 3 else "Miller"
        await post(f"{title} {number}", days=number % 4, salary=salary)
    whole = [await titles(session, sort="salary", **asked | {"limit": 100}) for asked in BEST_PAID]
    for name, value in way.items():
        monkeypatch.setattr(f"jobboard.jobs.{name}", value)
    for asked, every in zip(BEST_PAID, whole, strict=True):
        found: list[str] = []
        cursor = None
        for _ in range(200):  # three steps of pay for each page, where it is always late
            page = await find(session, sort="salary", cursor=cursor, **asked)
            found += [card.title for card in page.items]
            if not (cursor := page.next_cursor):
                break
        assert (cursor, found) == (None, every)
        assert found


@anyio
@pytest.mark.parametrize("cap", [0, 1000])
@pytest.mark.parametrize(
    "group", ["compared 0", "compared 999", "alone ZZZ", "alone EUR 0", "alone AED 999", "others"]
)
async def test_a_cursor_that_nobody_was_given_is_no_error(
    group: str, cap: int, session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobboard.jobs.facets.COUNT_CAP", cap)
    for currency in ("EUR", "AED"):
        await post(f"Baker, {currency}", salary=pay(None, 50_000, currency))
    asked = JobSearch(sort=Sort.SALARY)
    values = (2**63 - 1, now().isoformat(), str(UUID(int=1)), group, "")
    cursor = encode_cursor(asked.fingerprint(), *values)
    assert len((await find(session, sort="salary", cursor=cursor)).items) <= 2
