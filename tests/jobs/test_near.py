"""Places: one job in several, found under any of their names, in a circle, and near by remote."""

import math
import random
import re
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import near
from jobboard.jobs.models import Job
from jobboard.jobs.places import Spot, parse_location
from jobboard.jobs.points import point_of
from tests.jobs.searching import Post, find, titles

anyio = pytest.mark.anyio


@pytest.mark.parametrize(
    ("names", "point"),
    [
        (["Köln", "Cologne", "Koeln", "KOLN", "Cologne, Germany", "50667 Köln"], (50.93, 6.95)),
        (["München", "Munich", "Muenchen", "Munich, Bavaria, DE"], (48.14, 11.58)),
        (["NYC", "New York", "New York City", "New York, NY"], (40.71, -74.01)),
        (["Bombay", "Mumbai"], (19.07, 72.88)),
        (["Peking", "Beijing"], (39.91, 116.4)),
        (["Gilching", "Gilching, Bayern, Germany"], (48.11, 11.29)),
        (["Cambridge, MA"], (42.38, -71.11)),
        (["Manchester, Greater Manchester"], (53.48, -2.24)),
        (["Springfield, IL"], (39.8, -89.64)),
    ],
)
def test_a_town_has_one_place_however_it_is_called(
    names: list[str], point: tuple[float, float]
) -> None:
    for name in names:
        assert near.distance(near.centre(name), point) < 5, name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Xyzzyville", "no town called Xyzzyville"),
        ("Germany", "larger"),
        ("Bavaria", "larger"),
        ("???", "no town called"),
        ("Springfield, TX", "Several towns are called"),
        ("Cambridge", "Cambridge, England, United Kingdom; Cambridge, Ontario, Canada"),
    ],
)
def test_what_is_no_certain_town_says_what_to_do(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        near.centre(name)


def test_the_country_that_is_searched_in_tells_which_town_is_meant() -> None:
    assert near.distance(near.centre("Cambridge", ("CA",)), (43.36, -80.31)) < 5


def test_a_town_of_which_we_know_no_region_lies_in_any() -> None:
    assert point_of(Spot(city="Aarau", region="Aargau", country="CH")) == near.centre("Aarau")


def test_what_is_larger_than_a_town_has_no_point() -> None:
    assert point_of(Spot(country="DE")) is None
    assert point_of(Spot(region="Bayern", country="DE")) is None
    assert point_of(Spot(city="Cambridge")) is None
    assert point_of(Spot(city="Nowhere at all", country="DE")) is None


@pytest.mark.parametrize(
    ("written", "cities"),
    [
        ("Berlin, Hamburg or Munich", ["Berlin", "Hamburg", "Munich"]),
        ("Berlin, Hamburg", ["Berlin", "Hamburg"]),
        ("München, Hamburg", ["Munich", "Hamburg"]),
        ("London, Paris", ["London", "Paris"]),
        ("Getafe, Madrid", ["Getafe"]),
        ("Toronto, Ontario", ["Toronto"]),
        ("Luxembourg, Luxembourg", ["Luxembourg"]),
    ],
)
def test_a_list_of_towns_is_several_places(written: str, cities: list[str]) -> None:
    assert [spot.city for spot in parse_location(written).places] == cities


async def _squares_of(session: AsyncSession, points: list[tuple[float, float]]) -> list[set[str]]:
    """As the database names them, in one statement."""
    asked = {"north": [north for north, _ in points], "east": [east for _, east in points]}
    rows = await session.scalars(
        text(
            "SELECT jobboard_cells(ARRAY[north, east]) FROM unnest(CAST(:north AS float8[]),"
            " CAST(:east AS float8[])) WITH ORDINALITY AS given (north, east, n) ORDER BY n"
        ),
        asked,
    )
    return [set(row) for row in rows]


@anyio
async def test_the_squares_of_a_circle_hold_all_of_it(session: AsyncSession) -> None:
    draw = random.Random(8)
    centres = [(draw.uniform(-89.9, 89.9), draw.uniform(-180, 180)) for _ in range(150)]
    centres += [(52.52, 13.41), (0.0, 0.0), (-17.7, 179.99), (65.0, -180.0), (84.9, 10.0)]
    asked = [(centre, draw.choice([1, 10, 25, 50, 100, 200, 500])) for centre in centres]
    around = [_somewhere(draw, centre, km) for centre, km in asked for _ in range(8)]
    held = await _squares_of(session, around)
    for (centre, km), start in zip(asked, range(0, len(around), 8), strict=True):
        squares = set(near.squares(centre, km))
        assert len(squares) <= near.MOST or all(each.startswith("at:2:") for each in squares)
        for point, own in zip(around[start : start + 8], held[start : start + 8], strict=True):
            assert near.distance(centre, point) > km or own & squares, (centre, km, point)


def _somewhere(draw: random.Random, centre: tuple[float, float], km: int) -> tuple[float, float]:
    """In the square around a circle; often on its edge, and beyond the date line."""
    high = km / 111.2
    north = centre[0] + draw.choice([-high, high, 0, draw.uniform(-high, high)])
    wide = min(180.0, high / math.cos(math.radians(centre[0])))
    east = centre[1] + draw.choice([-wide, wide, 0, draw.uniform(-wide, wide)])
    return max(-90.0, min(90.0, north)), (east + 180) % 360 - 180


@pytest.fixture
async def town(post: Post) -> None:
    """Jobs in one place, in several, in none, and anywhere."""
    places: dict[str, dict[str, Any]] = {
        "one": {"location": "Potsdam, Germany"},
        "three": {"location": "Hamburg, Berlin or Munich"},
        "two countries": {"location": "Lyon, France | Basel, Switzerland"},
        "none": {"location": "Multiple Locations"},
        "country": {"location": "Germany"},
        "remote, here": {"location": "Remote, Germany", "remote": "remote"},
        "remote, there": {"location": "Remote - US", "remote": "remote"},
        "remote, anywhere": {"location": "Remote", "remote": "remote"},
        "remote, in town": {"location": "Bonn, Germany", "remote": "remote"},
    }
    for days, (title, fields) in enumerate(places.items()):
        await post(title, days=days, **fields)


REMOTE = ["remote, here", "remote, anywhere", "remote, in town"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"location": "Berlin"}, ["three"]),
        ({"location": "Berlin", "radius_km": 10}, ["three"]),
        ({"location": "Berlin", "radius_km": 50}, ["one", "three"]),
        ({"location": "Potsdam", "radius_km": 500}, ["one", "three", "remote, in town"]),
        ({"location": "Cologne", "radius_km": 50}, ["remote, in town"]),
        ({"location": "Cologne", "radius_km": 50, "remote": ["onsite"]}, []),
        ({"location": "Cologne", "radius_km": 50, "include_remote": True}, REMOTE),
        ({"location": "Muenchen"}, ["three"]),
        ({"location": "Hamburg", "country": ["FR"]}, []),
        ({"location": "Basel"}, ["two countries"]),
        ({"location": "Basel", "radius_km": 25}, ["two countries"]),
        ({"location": "Switzerland"}, ["two countries"]),
        ({"country": ["CH"]}, ["two countries"]),
        ({"country": ["FR"]}, ["two countries"]),
        ({"country": ["US", "FR"]}, ["two countries", "remote, there"]),
        ({"location": "Berlin", "include_remote": True}, ["three", *REMOTE]),
        ({"location": "Basel", "include_remote": True}, ["two countries", "remote, anywhere"]),
        ({"q": "three", "location": "Berlin", "radius_km": 100}, ["three"]),
        ({"q": "one", "location": "Munich", "radius_km": 100}, []),
    ],
)
@anyio
async def test_each_place_of_a_job_counts(
    session: AsyncSession, town: None, query: dict[str, Any], expected: list[str]
) -> None:
    assert await titles(session, **query, sort="newest") == expected
    counted = await find(session, **query, facets=True, limit=1)
    assert (counted.total.value, counted.total.relation) == (len(expected), "eq")


@anyio
async def test_a_job_counts_for_each_of_its_countries(session: AsyncSession, town: None) -> None:
    facets = (await find(session, facets=True)).facets or {}
    assert facets["country"] == {"DE": 5, "CH": 1, "FR": 1, "US": 1}


@anyio
async def test_a_job_that_moves_is_found_where_it_is(session: AsyncSession, post: Post) -> None:
    job = await post("Baker", location="Berlin")
    await session.execute(
        text("UPDATE jobs SET location = :place, country = 'FR', city = 'Lyon', places = :places"),
        {
            "place": "Lyon, France",
            "places": '[{"city": "Lyon", "country": "FR", "lat": 45.75, "lon": 4.85}]',
        },
    )
    await session.commit()
    assert await titles(session, location="Lyon", radius_km=10) == ["Baker"]
    assert await titles(session, location="Berlin", radius_km=10) == []
    assert await titles(session, country="DE") == []
    await session.execute(text("UPDATE jobs SET places = NULL"))  # as a release before writes it
    await session.commit()
    assert await titles(session, country="FR", location="Lyon") == ["Baker"]
    assert await titles(session, location="Lyon", radius_km=10) == []
    assert (await session.get_one(Job, job.id)).title == "Baker"
