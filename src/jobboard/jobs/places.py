"""Reads where a job is: "GB, LND, London", "Toronto, ON m1s1w7", "Remote - US", "A | B | C".

Read only what is certain. What several countries could mean ("Cambridge") stays a city without
a country; what names no place ("Multiple Locations") stays text.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from jobboard.infra.textrepair import tidy
from jobboard.jobs.gazetteer import (
    Kind,
    country_by_code,
    find,
    key_of,
    of_kind,
    region_by_code,
)
from jobboard.jobs.gazetteer import Place as Entry

Remote = Literal["onsite", "hybrid", "remote"]

_MAX_TEXT = 500
_MAX_PLACES = 20
_MILLION = 1_000_000
_LARGE = 100_000  # a name in a list means a city only if so many live there
_KNOWN = 30_000  # a name alone means a city only if so many live there
CLEARLY = 3  # a bare city name is the largest city of that name, if it is so many times larger
STATE_COUNTRIES = ("US", "CA", "AU")  # whose states are written as codes after a city

_WORDS: dict[Remote, str] = {
    "hybrid": r"hybrid\w*|teilweise remote",
    "remote": r"(?:fully |100 ?% )?remote\w*(?:[- ]friendly|[- ]first|[- ]only)?|"
    r"work(?:ing)? from home|work from anywhere|wfh|home ?office|home[- ]?based|"
    r"tele(?:work|commut|trabajo|travail)\w*|anywhere(?: in the world)?|world[- ]?wide|"
    r"distributed|virtual",
    "onsite": r"on[- ]?site|in[- ](?:the[- ])?office|in[- ]person|vor ort",
}
_REMOTE: dict[Remote, re.Pattern[str]] = {
    name: re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
    for name, words in _WORDS.items()
}
_NOISE = re.compile(
    r"(?<![\w-])(?:multiple|various|several|all|other|unspecified|blank|n/?a|location|locations|"
    r"travel(?:[ -]required)?|required|within|based|optional|possible|eligible|friendly|"
    r"flexible|headquarters|hq|city of|greater|metro(?:politan)?(?: area)?|nationwide|"
    r"(?-i:in|from)|only|global)"
    r"(?![\w-])",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*[;|•\n]\s*|\s+/\s+|,?\s+or\s+|,\s*or\s+|(?<=\s)[&+]\s+", re.IGNORECASE)
_POSTCODE = re.compile(
    r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z](?:\s?\d[A-Z]\d)?\b|\b\d{5,6}(?:-\d{4})?\b", re.IGNORECASE
)
_ROAD = re.compile(r"^\d+\s.*\b(?:road|street|st|ave|avenue|blvd|drive|dr|lane|way)\.?$", re.I)
_SUFFIX = re.compile(
    r"\s(?:region|province|department|district|county|area|state|prefecture|oblast)$", re.IGNORECASE
)
_COUNTRY_FIRST = re.compile(r"^([A-Z]{2})(?:\s*,|\s*$)(.*)$")


@dataclass(frozen=True, slots=True)
class Spot:
    """One place. `region` and `city` are names, `country` is ISO 3166-1 alpha-2."""

    city: str | None = None
    region: str | None = None
    country: str | None = None

    def __bool__(self) -> bool:
        return bool(self.city or self.region or self.country)


@dataclass(frozen=True, slots=True)
class Location:
    """What was read: the first place, how far the work is remote, and all places in order."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    remote: Remote | None = None
    places: tuple[Spot, ...] = ()


@lru_cache(maxsize=4096)
def parse_location(text: str | None) -> Location:
    """Read a location field. Never raises; what cannot be read is None."""
    line = " ".join(tidy(text or "")[:_MAX_TEXT].replace("\n", " | ").split())
    if not line:
        return Location()
    spots: list[Spot] = []
    for part in _parts(line)[:_MAX_PLACES]:
        spot = _spot(part, spots[-1].country if spots else None)
        if spot and spot not in spots:
            spots.append(spot)
    main = spots[0] if spots else Spot()
    return Location(main.city, main.region, main.country, remote_words(line), tuple(spots))


def remote_words(text: str) -> Remote | None:
    """What a text about the place says of remote work. Hybrid wins: it is both."""
    return next((name for name in _REMOTE if _REMOTE[name].search(text)), None)


def _parts(line: str) -> list[str]:
    """A field cut into its places."""
    line = _brackets(line).replace("D.C.", "DC").replace("D. C.", "DC")
    line = _NOISE.sub(" ", _without_remote(line))
    parts = [part for piece in _SPLIT.split(line) for part in _listed(piece)]
    return [part for part in parts if re.search(r"\w", part)]


def _brackets(line: str) -> str:
    """ "Boston (US)" as "Boston, US"; what is no place goes with its brackets."""
    return re.sub(
        r"\s*\(([^()]*)\)", lambda m: f", {m[1]}" if _is_country_or_region(m[1]) else " ", line
    )


def _without_remote(line: str) -> str:
    for pattern in _REMOTE.values():
        line = pattern.sub(" ", line)
    return line


def _is_country_or_region(text: str) -> bool:
    text = text.strip()
    if country_by_code(text):
        return True
    return any(place.kind is not Kind.CITY for place in find(key_of(text)))


def _listed(piece: str) -> list[str]:
    """ "Austin, TX, Reno, NV" and "Skopje, Zagreb, Split" are several places in one piece."""
    tokens = [token.strip() for token in piece.split(",") if token.strip()]
    if _COUNTRY_FIRST.match(piece.strip()) and len(tokens) != 2:
        return [piece]
    if len(tokens) > 1 and all(_is_state_name(token) for token in tokens):
        return [piece] if len(tokens) == 2 and _town(tokens[0], "") else tokens
    if len(tokens) > 1 and _are_towns(tokens):
        return tokens
    if len(tokens) < 3:
        return [piece]
    pairs = [tokens[at : at + 2] for at in range(0, len(tokens), 2)]
    if len(tokens) % 2 == 0 and all(_state(pair[1]) for pair in pairs):
        return [", ".join(pair) for pair in pairs]
    return tokens if all(_only_city(token) for token in tokens) else [piece]


def _are_towns(tokens: list[str]) -> bool:
    """ "Berlin, Hamburg" are two; "Getafe, Madrid" may be a town and its region."""
    large = all(len(token) > 3 and _is_large_town(token) for token in tokens)
    return large and not any(_may_lie_in(*pair) for pair in pairwise(tokens))


def _is_large_town(token: str) -> bool:
    towns = _town(token, "")
    large = bool(towns) and towns[0].weight >= _LARGE / (20 if _is_abroad(towns[0]) else 1)
    return large and not (_state(token) or _country(token))


def _is_abroad(town: Entry) -> bool:
    """Called by another name than its own, which weighs a twentieth of its people."""
    return town.key != key_of(town.name)


def _may_lie_in(name: str, wider: str) -> bool:
    """Whether one is a town of a region that is called as the other, as far as is known."""
    towns = [town for town in _town(name, "") if town.weight * CLEARLY > _town(name, "")[0].weight]
    regions = {(region.country, region.region) for region in of_kind(wider, Kind.REGION)}
    countries = {country for country, _ in regions}
    return key_of(name) == key_of(wider) or any(
        (town.country, town.region) in regions or (not town.region and town.country in countries)
        for town in towns
    )


def _is_state_name(token: str) -> bool:
    return len(token) > 3 and _state(token) is not None


def _only_city(token: str) -> bool:
    """Whether a token can be nothing but a city."""
    found = find(key_of(token))
    return bool(found) and all(place.kind is Kind.CITY for place in found)


def _state(token: str) -> Entry | None:
    """A state of the countries that write them after a city: by code in capitals, or by name."""
    if len(token) in (2, 3) and token.isupper():
        return next((r for c in STATE_COUNTRIES if (r := region_by_code(c, token))), None)
    named = of_kind(token, Kind.REGION)
    return next((r for c in STATE_COUNTRIES for r in named if r.country == c), None)


def _spot(part: str, nearby: str | None) -> Spot:
    """One place. `nearby` is the country of the place named before it in the same field."""
    part = _POSTCODE.sub(" ", part).strip(" -.\u2013—/:")
    if (first := _COUNTRY_FIRST.match(part)) and (spot := _country_first(first)):
        return spot
    tokens = [token for raw in re.split(r",|\s[-\u2013—]\s", part) if (token := raw.strip(" .-"))]
    tokens = [token for token in tokens if not _ROAD.match(token)]
    if not tokens:
        return Spot()
    return _bare(tokens[0], nearby) if len(tokens) == 1 else _tail_first(tokens)


def _country_first(first: re.Match[str]) -> Spot | None:
    """ "GB, LND, London", "US, CA, " and "US": the country's code leads."""
    country, rest = country_by_code(first[1]), [token.strip() for token in first[2].split(",")]
    if country is None or (len(rest) < 2 and (first[2].strip() or _state(first[1]))):
        return None
    region = region_by_code(country.country, rest[0]) or _region_named(country.country, rest[0])
    names = [name.strip(" .") for name in rest[1:] if name.strip(" .")]
    if names and not region:
        region = region_by_code(country.country, names[-1])
        names = names[:-1] if region else names
    city = _own_name(names[0], region, country.country) if names else ""
    return _made(city, region, country.country)


def _own_name(name: str, region: Entry | None, country: str) -> str:
    """A city's name; not that of the country or the region once more ("DE, , Germany")."""
    if region and name == region.region:  # "US, NY, NY"
        return region.name if _town(region.name, country) else ""
    wider = _country(name) if not region else _region_named(country, name)
    if not wider or _town(name, country):
        return name
    return name if region and country == "US" and key_of(name) != key_of(region.name) else ""


def _region_named(country: str, name: str) -> Entry | None:
    return next(iter(of_kind(name, Kind.REGION, country)), None)


def _tail_first(tokens: list[str]) -> Spot:
    """ "Gilching, Bayern, Germany" and "Redmond, WA": the wider place comes last."""
    *inner, last = tokens
    code = last.split()[0] if last.split()[0].isupper() else last  # "St. Thomas, ON Edward"
    state, country = _state(code), _country(last)
    if state and not (country and last.isupper() and _fits_country(inner[-1], country, state)):
        # The nearest of two names that is a town: "West Redlands, Redlands, CA".
        city = inner[-1] if len(inner) == 2 and _town(inner[-1], "") else inner[0]
        return _made(city, state, state.country)
    if country:
        return _in_country(inner, country.country)
    return _head_first(tokens)


def _head_first(tokens: list[str]) -> Spot:
    """ "CA - San Francisco" and "ES - Barcelona"; else what the first name alone says."""
    head, *rest = tokens
    if head.isupper() and (state := _state(head)):
        return _made(rest[-1], state, state.country)
    if country := country_by_code(head):
        return _in_country(rest, country.country)
    region = next(iter(of_kind(rest[-1], Kind.REGION)), None)
    if region and _town(head, region.country):
        return _made(head, region, region.country)
    return _bare(head, None)


def _fits_country(city: str, country: Entry, state: Entry) -> bool:
    """Whether "Berlin, DE" is in Germany and not in Delaware."""
    in_state = [t for t in _town(city, state.country) if t.region == state.region]
    return not in_state and bool(_town(city, country.country))


def _in_country(tokens: list[str], country: str) -> Spot:
    """City and region, in this order, of a country that is known."""
    tokens = [token for token in tokens if not _is_code_of(token, country)]
    if not tokens:
        return Spot(country=country)
    *inner, last = tokens
    region = region_by_code(country, last) or _region_named(country, _SUFFIX.sub("", last))
    is_town = not inner and _town(last, country) and (not region or len(last) > 3)
    if is_town and (country not in STATE_COUNTRIES or key_of(last) == "new york"):
        region = None  # "Berlin, Germany", "New York, USA": the city, not its state
    return _made((inner or [last])[0] if inner or not region else "", region, country)


def _is_code_of(token: str, country: str) -> bool:
    return len(token) == 2 and token.isupper() and not region_by_code(country, token)


def _country(token: str) -> Entry | None:
    if token.isupper() and len(token) in (2, 3) and (country := country_by_code(token)):
        return country
    return next(iter(of_kind(token, Kind.COUNTRY)), None)


def _town(name: str, country: str) -> tuple[Entry, ...]:
    return of_kind(name, Kind.CITY, country or None)


def _bare(token: str, nearby: str | None) -> Spot:
    """One name alone: a country, a city that is clearly the largest of its name, a state."""
    country, state = _country(token), _state(token)
    towns = _town(token, "")
    if len(token) == 2 and (not token.isupper() or not towns or towns[0].weight < _MILLION / 2):
        towns = ()  # only LA, SF and DC are cities in two letters
    if country and state and not towns and (len(token) == 2 or country.country == "GE"):
        return Spot()  # Georgia; and codes such as CA: both are meant, by somebody
    if country and not (towns and len(token) == 2):
        return Spot(country=country.country)
    if state and not (towns and key_of(token) == "new york"):
        return _made("", state, state.country) if len(token) > 2 or nearby else _code(towns, state)
    if not towns or towns[0].weight < _KNOWN:
        return _shorter(token, nearby)
    near = [town for town in towns if town.country == nearby]
    best, *rest = near or towns
    rivals = [town.weight for town in rest if town.country != best.country]
    if rivals and best.weight < CLEARLY * max(rivals):
        return Spot(city=best.name)
    alike = [town for town in rest if (town.country, town.name) == (best.country, best.name)]
    sure = not any(t.region != best.region and t.weight * CLEARLY > best.weight for t in alike)
    return spot_of(best) if sure else Spot(city=best.name, country=best.country)


def _code(towns: tuple[Entry, ...], state: Entry) -> Spot:
    """Two capitals alone: LA and DC are cities, others their state."""
    return spot_of(towns[0]) if towns else _made("", state, state.country)


def spot_of(town: Entry) -> Spot:
    """A town of the gazetteer as a place."""
    region = region_by_code(town.country, town.region) if town.region else None
    return Spot(town.name, region.name if region else None, town.country)


def _shorter(token: str, nearby: str | None) -> Spot:
    """A name that nothing is called: "Minsk Region", "Pichincha", "Omaha Riverfront"."""
    base = _SUFFIX.sub("", token)
    regions = of_kind(base, Kind.REGION)
    if len({region.country for region in regions}) == 1:
        return _made("", regions[0], regions[0].country)
    if base != token:
        around = _bare(base, nearby)
        return Spot(region=token, country=around.country) if around.country else Spot()
    words = re.split(r"[\s-]", token)
    for count in range(len(words) - 1, 0, -1):
        name = " ".join(words[:count])
        towns = _town(name, "")
        if (towns and towns[0].weight >= 100_000) or _country(name):
            return _bare(name, nearby)
    return Spot()


def _made(city: str, region: Entry | None, country: str) -> Spot:
    """A place of what was read, the city written as the gazetteer writes it."""
    city = " ".join(city.split("/")[0].split())  # "Huddersfield/Wakefield"
    towns = _town(city, country)
    if region and country in STATE_COUNTRIES:
        towns = tuple(town for town in towns if town.region in ("", region.region))
    if region is None and towns and towns[0].region:
        region = region_by_code(country, towns[0].region)
    name = towns[0].name if towns else _cased(city)
    return Spot(name or None, region.name if region else None, country)


def _cased(name: str) -> str:
    """A name that is not known, SHOUTED or whispered, with capitals."""
    return name.title() if name.isupper() or name.islower() else name
