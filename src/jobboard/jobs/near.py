"""A circle around a town: where it lies, and in which squares of a grid.

A job's points are those of its towns. The index knows each as a square of three grids, of a quarter
of a degree, one, and four (`jobboard_cells`, a migration): a circle is covered by a few dozen
squares of the finest grid that will do, and what lies in them is measured (`jobboard_km`).
"""

import math
from collections.abc import Iterator
from functools import lru_cache

from jobboard.jobs.gazetteer import Kind, Place, country_by_code, of_kind
from jobboard.jobs.places import CLEARLY, parse_location, spot_of
from jobboard.jobs.points import Point, point_of

FARTHEST = 500  # km
EARTH = 6371.0  # km, its mean radius
GRIDS = (0.25, 1.0, 4.0)  # degrees
MOST = 48  # squares
SOME = 4  # towns that are named to somebody who has to choose


@lru_cache(maxsize=4096)
def centre(location: str, countries: tuple[str, ...] = ()) -> Point:
    """Where the town lies that a searcher names. Raises ValueError with what to do about it.

    `countries` are those that are searched in: they tell which Cambridge is meant.
    """
    place = parse_location(location)
    for spot in place.places:
        if point := point_of(spot):
            return point
    towns = _called(location, countries)
    if not towns:
        raise ValueError(_unknown(location, bool(place.country)))
    best, *rest = towns
    if rest and best.weight < CLEARLY * rest[0].weight:
        raise ValueError(_several(location, towns))
    at = point_of(spot_of(best))
    assert at is not None  # as of all that are called so
    return at


def _called(name: str, countries: tuple[str, ...]) -> list[Place]:
    """Towns of that name whose place is certain, the largest first."""
    found = of_kind(name.split(",")[0], Kind.CITY)
    known = [town for town in found if point_of(spot_of(town))]
    return [town for town in known if town.country in countries] or known


def _unknown(location: str, wide: bool) -> str:
    if wide:
        return f"A radius needs a town, and {location} is larger. Name a town, or leave it out."
    return (
        f"We know no town called {location}, to measure from. Name a larger one nearby, or leave "
        "the radius out."
    )


def _several(location: str, towns: list[Place]) -> str:
    names = [_full_name(town) for town in towns[:SOME]]
    either = f"{'; '.join(names[:-1])}; or {names[-1]}"
    return f"Several towns are called {location}. Say which: {either}."


def _full_name(town: Place) -> str:
    spot, country = spot_of(town), country_by_code(town.country)
    parts = [spot.city, spot.region, country.name if country else town.country]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def distance(one: Point, other: Point) -> float:
    """Kilometres along the surface (haversine), as `jobboard_km` reckons them."""
    (north, east), (to_north, to_east) = (
        (math.radians(a), math.radians(b)) for a, b in (one, other)
    )
    half = math.sin((to_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(to_north) * math.sin((to_east - east) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))


def squares(point: Point, km: int) -> list[str]:
    """Squares that hold all of a circle, of the finest grid that needs no more than MOST."""
    for grid in range(len(GRIDS)):
        found = list(_squares(point, km, grid))
        if len(found) <= MOST:
            break
    return found


def _squares(point: Point, km: int, grid: int) -> Iterator[str]:
    size, (north, east) = GRIDS[grid], point
    # Half a kilometre more: points are rounded, and so are sums.
    high = math.degrees((km + 0.5) / EARTH)
    wide = _half_width(north, high)
    columns = round(360 / size)
    left, right = (math.floor((east + side + 180) / size) for side in (-wide, wide))
    right = min(right, left + columns - 1)
    bottom, top = (_row(north + side, size) for side in (-high, high))
    for row in range(bottom, top + 1):
        for column in range(left, right + 1):
            yield f"at:{grid}:{row}:{column % columns}"


def _row(north: float, size: float) -> int:
    return math.floor((max(-90.0, min(90.0, north)) + 90) / size)


def _half_width(north: float, high: float) -> float:
    """Degrees east and west that a circle reaches, which is so many degrees high and low."""
    if abs(north) + high >= 90:
        return 180.0
    reach = math.sin(math.radians(high)) / math.cos(math.radians(north))
    return math.degrees(math.asin(min(1.0, reach)))
