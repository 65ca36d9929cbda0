"""Where the places of a job lie on the map, as far as the gazetteer knows."""

from typing import Any

from jobboard.jobs.gazetteer import Kind, Place, of_kind, region_by_code
from jobboard.jobs.places import CLEARLY, STATE_COUNTRIES, Location, Spot

Point = tuple[float, float]  # degrees north and east


def written(place: Location) -> list[dict[str, Any]]:
    """All places of a job, for its column `places`: city, region, country, and lat and lon of a
    town; what is not known is left out."""
    return [_written(spot) for spot in place.places]


def _written(spot: Spot) -> dict[str, Any]:
    point = point_of(spot)
    named = {"city": spot.city, "region": spot.region, "country": spot.country}
    known = {name: value for name, value in named.items() if value}
    return known | ({"lat": point[0], "lon": point[1]} if point else {})


def point_of(spot: Spot) -> Point | None:
    """Where a town lies; None where that is not certain, and of what is larger than a town."""
    if not (spot.city and spot.country):
        return None
    towns = [town for town in of_kind(spot.city, Kind.CITY, spot.country) if town.at]
    there = [town for town in towns if not spot.region or _lies_in(town, spot.region)]
    if not there and spot.country not in STATE_COUNTRIES:
        there = towns  # "Manchester, Greater Manchester": of most regions we know no towns
    if not there:
        return None
    best, *rest = there
    rivals = [town for town in rest if not spot.region or town.region != best.region]
    sure = not any(town.weight * CLEARLY > best.weight for town in rivals)
    return best.at if sure else None


def _lies_in(town: Place, region: str) -> bool:
    """As far as is known: of most countries we know no regions of towns."""
    if not town.region:
        return True
    known = region_by_code(town.country, town.region)
    return known is not None and known.name == region
