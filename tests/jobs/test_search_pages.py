"""Pages of a search hold still while jobs come and go, and cursors lead on in their own."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.errors import Invalid
from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.orders import read_cursor
from jobboard.pagination import encode_cursor
from tests.jobs.searching import Post, find, pay, titles, walk

anyio = pytest.mark.anyio


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
        ({"sort": "salary"}, (PAY_HASH, 1.0, DAY, ID, "compared", "")),
        ({"sort": "salary"}, (PAY_HASH, None, DAY, ID, "compared", "")),
        ({"sort": "salary"}, (PAY_HASH, True, DAY, ID, "compared", "")),
        ({"sort": "salary"}, (PAY_HASH, 2**63, DAY, ID, "compared", "")),
        ({"sort": "salary"}, (PAY_HASH, -(2**70), DAY, ID, "compared", "")),
        ({"sort": "salary"}, (PAY_HASH, 1, DAY, ID, "EUR", "")),  # as earlier releases wrote them
        ({"sort": "salary"}, (PAY_HASH, 1, DAY, ID, "", "")),
        ({"sort": "salary"}, (PAY_HASH, 1, DAY, ID, "alone", "")),
        ({"sort": "salary"}, (PAY_HASH, 1, DAY, ID, "alone eur", "")),
        ({}, (HASH, None, DAY, ID, "compared", "")),
        ({"q": "a"}, (MATCH_HASH, float("nan"), DAY, ID, "", "")),
        ({"q": "a"}, (MATCH_HASH, float("inf"), DAY, ID, "", "")),
        ({"q": "a"}, (MATCH_HASH, -1e300, DAY, ID, "", "")),
        ({"q": "a"}, (MATCH_HASH, 1, DAY, ID, "", "")),
        ({}, (HASH, None, DAY, ID, "", "x")),
        ({"q": "a"}, (MATCH_HASH, 0.5, DAY, ID, "", "", "all")),
        ({"q": "a"}, (MATCH_HASH, 0.5, DAY, ID, "", "", "worst,,")),
        ({"q": "a"}, (MATCH_HASH, 0.5, DAY, ID, "", "", "all,yesterday,")),
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
