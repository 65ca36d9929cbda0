"""How many jobs the search counts, and at what cost."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.postgres import Database
from jobboard.jobs import facets
from tests.jobs.searching import Post, find, titles
from tests.statements import statements

anyio = pytest.mark.anyio


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


@anyio
async def test_facets_say_when_they_stop_at_the_cap(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "COUNT_CAP", 3)
    for number in range(3):
        await post(f"Baker {number}", remote="onsite", days=number)
    result = await find(session, facets=True)
    assert (result.total.relation, result.facets_relation) == ("eq", "eq")
    await post("Baker, fourth", remote="remote", days=4)
    result = await find(session, facets=True)
    assert (result.total.value, result.total.relation) == (3, "gte")
    assert (result.facets or {})["remote"] == {"onsite": 3, "remote": 1}
    assert result.facets_relation == "gte"
    # The filter is used: its own facet counts all, of which there are more than are counted.
    result = await find(session, facets=True, remote="remote")
    assert (result.total.value, result.total.relation) == (1, "eq")
    assert result.facets_relation == "gte"
    assert (await find(session)).facets_relation is None


@anyio
async def test_a_page_is_a_handful_of_statements(
    db: Database, session: AsyncSession, post: Post
) -> None:
    for number in range(30):
        await post(f"Baker {number}")
    with statements(db) as seen:
        assert len(await titles(session, q="baker", facets=True, limit=30)) == 30
    assert len(seen) == 4  # how to plan, about how many, the page, the counts
