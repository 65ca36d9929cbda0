"""A search that finds next to nothing says what would find more."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import relaxing, vocabulary
from jobboard.jobs.corrections import search
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.search import JobSearchResult
from tests.jobs.searching import Post, pay

pytestmark = pytest.mark.anyio

Ways = list[tuple[dict[str, Any], int]]


async def offered(session: AsyncSession, data: JobSearch) -> JobSearchResult:
    """As the first page of everybody is made."""
    return await relaxing.relaxed(session, data, await search(session, data))


async def ways(session: AsyncSession, **query: Any) -> Ways:
    """What changes, and how many jobs that finds."""
    result = await offered(session, JobSearch.model_validate(query))
    await session.commit()
    return [(way.changes, way.total.value) for way in result.relaxations]


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(relaxing, "PATIENCE", 60)


@pytest.fixture
async def four(post: Post) -> None:
    """Two bakers near each other, a cook far away, a clerk anywhere."""
    await post("Head baker", location="Potsdam, Germany", remote="onsite", tags=["bread", "night"])
    await post("Baker", location="Hamburg, Germany", salary=pay(2_000_000, 3_000_000))
    await post("Cook", location="Lyon, France", experience="senior", employment_type="full_time")
    await post("Clerk", location="Remote", remote="remote", salary=pay(2_000_000, 4_000_000))


PLACE = {"location": None, "radius_km": None, "include_remote": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, []),
        ({"q": "unheardof"}, []),
        ({"q": "unheardof", "exact": True}, []),
        ({"q": "baker", "sort": "salary"}, []),
        ({"q": "head unheardof", "exact": True}, [({"q": "head"}, 1)]),
        ({"q": "baker clerk", "exact": True}, [({"q": "baker"}, 2), ({"q": "clerk"}, 1)]),
        ({"q": '"head baker" -cook clerk'}, []),
        ({"q": "baker", "country": ["FR"]}, [({"country": None}, 2), ({"q": None}, 1)]),
        ({"q": "cook", "experience": ["lead", "mid"]}, [({"experience": None}, 1)]),
        ({"tag": ["bread", "sugar"]}, [({"tag": ["bread"]}, 1)]),
        ({"q": "baker", "tag": ["sugar"]}, [({"tag": None}, 2)]),
        (
            {
                "salary_min": 4_000_001,
                "currency": "EUR",
                "undisclosed_pay": "exclude",
                "q": "clerk",
            },
            [({"salary_min": None, "undisclosed_pay": None}, 1)],
        ),
        (
            {"q": "baker", "location": "Berlin", "radius_km": 10},
            [({"radius_km": 50}, 1), (PLACE, 2)],
        ),
        (
            {"q": "clerk", "location": "Berlin"},
            [({"include_remote": True}, 1), (PLACE, 1)],
        ),
        ({"q": "baker", "location": "Atlantis"}, [(PLACE, 2)]),
        (
            {"q": "baker", "location": "Lyon", "experience": ["lead"]},
            [({"location": None, "experience": None}, 2), ({"q": None, "experience": None}, 1)],
        ),
        (
            {"location": "Lyon", "remote": ["remote"]},
            [({"include_remote": True}, 1), (PLACE, 1), ({"remote": None}, 1)],
        ),
    ],
    ids=str,
)
async def test_it_tells_what_finds_more(
    session: AsyncSession, four: None, query: dict[str, Any], expected: Ways
) -> None:
    assert await ways(session, **query) == expected
    for changes, jobs in expected:  # each is what following it would bring
        wider = JobSearch.model_validate(query | changes)
        assert (await search(session, wider)).total.value == jobs


async def test_ways_of_a_corrected_search_are_for_its_words(
    session: AsyncSession, post: Post
) -> None:
    """The words as they were typed may find something else without the filter."""
    for _ in range(4):
        await post("Carpenter", remote="remote")
    await post("Carpenter", remote="onsite")
    while await vocabulary.count(session):
        pass
    await session.commit()
    assert await ways(session, q="carpentre", remote=["onsite"]) == [
        ({"remote": None, "q": "carpenter"}, 5)
    ]


async def test_enough_is_left_alone_and_later_pages_are(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(relaxing.FEW):
        await post(f"Baker {number}", remote="onsite")
    await post("Baker", remote="remote")
    assert await ways(session, q="baker", remote=["onsite"]) == []
    assert await ways(session, q="baker", remote=["remote"]) == [({"remote": None}, 6)]
    monkeypatch.setattr(relaxing, "FEW", 100)
    query = {"q": "baker", "remote": ["onsite"], "limit": 2}
    first = await offered(session, JobSearch.model_validate(query))
    assert [way.changes for way in first.relaxations] == [{"remote": None}]
    after = query | {"cursor": first.next_cursor}
    assert await ways(session, **after) == []


async def test_it_counts_so_far_and_no_longer(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await post(f"Baker {number}", remote="onsite")
    query = JobSearch(q="baker", remote=["hybrid"], experience=["mid"], country=["DE"])
    monkeypatch.setattr(relaxing, "CAP", 3)
    result = await offered(session, JobSearch(q="baker", remote=["hybrid"]))
    assert result.relaxations[0].total.model_dump() == {"value": 3, "relation": "gte"}
    monkeypatch.setattr(relaxing, "PATIENCE", -1)
    assert (await offered(session, query)).relaxations == []
