"""In which order the search shows what it finds."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
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
