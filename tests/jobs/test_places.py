"""Where a job is, as fields write it, and what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobboard.jobs.gazetteer import Kind, find, key_of
from jobboard.jobs.places import Location, parse_location
from tests.timing import least_seconds


def read(text: str | None) -> tuple[str | None, str | None, str | None, str | None]:
    place = parse_location(text)
    return place.city, place.region, place.country, place.remote


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GB, LND, London", ("London", "City of London", "GB", None)),
        ("AE, , ", (None, None, "AE", None)),
        ("SA, 01, Riyadh, Olaya", ("Riyadh", "Ar Riyāḑ", "SA", None)),
        ("US, NY, NY", ("New York City", "New York", "US", None)),
        ("US, KY, London", ("London", "Kentucky", "US", None)),
        ("DE, , Germany", (None, None, "DE", None)),
        ("IN, , ", (None, None, "IN", None)),
        ("Toronto", ("Toronto", "Ontario", "CA", None)),
        ("TORONTO, ON M5V 1T1", ("Toronto", "Ontario", "CA", None)),
        ("toronto, ON m1s1w7", ("Toronto", "Ontario", "CA", None)),
        ("Berlin, Germany", ("Berlin", "Berlin", "DE", None)),
        ("Berlin, DE", ("Berlin", "Berlin", "DE", None)),
        ("Newark, DE", ("Newark", "Delaware", "US", None)),
        ("München", ("Munich", "Bayern", "DE", None)),
        ("Köln, Deutschland", ("Köln", "Nordrhein-Westfalen", "DE", None)),
        ("Genève, Suisse", ("Geneva", None, "CH", None)),
        ("Washington, D.C.", ("Washington", "District of Columbia", "US", None)),
        ("New York, New York", ("New York City", "New York", "US", None)),
        ("CA - San Francisco", ("San Francisco", "California", "US", None)),
        ("ES - Barcelona, Spain", ("Barcelona", None, "ES", None)),
        ("ES - Barcelona", ("Barcelona", None, "ES", None)),
        ("Berlin, Bayern", ("Berlin", "Bayern", "DE", None)),
        ("US, US", (None, None, "US", None)),
        ("SF", ("San Francisco", "California", "US", None)),
        ("Boston (US)", ("Boston", "Massachusetts", "US", None)),
        ("Remote in USA", (None, None, "US", "remote")),
        ("Remote - US", (None, None, "US", "remote")),
        ("United Kingdom (Remote)", (None, None, "GB", "remote")),
        ("Munich Hybrid (Example GmbH), Germany", ("Munich", "Bayern", "DE", "hybrid")),
        ("On Site - Fort Meade, MD", ("Fort Meade", "Maryland", "US", "onsite")),
        ("Anywhere in the World", (None, None, None, "remote")),
        ("Flexible / Remote", (None, None, None, "remote")),
        ("Multiple Locations", (None, None, None, None)),
        ("Minsk Region", (None, "Minsk Region", "BY", None)),
        ("7655 Mill Road, ON L6T4Y5", (None, "Ontario", "CA", None)),
        ("Puerto Rico", (None, None, "PR", None)),
    ],
)
def test_reads_what_fields_write(text: str, expected: tuple[str | None, ...]) -> None:
    assert read(text) == expected


def test_what_could_be_several_countries_has_none() -> None:
    assert read("Cambridge") == ("Cambridge", None, None, None)
    assert read("Georgia") == (None, None, None, None)
    assert read("Remote - CA") == (None, None, None, "remote")


def test_several_places_keep_their_order_and_the_first_is_the_main_one() -> None:
    place = parse_location("Austin, TX | Dublin, Ireland; Remote, Canada")
    assert (place.city, place.country, place.remote) == ("Austin", "US", "remote")
    assert [(spot.city, spot.country) for spot in place.places] == [
        ("Austin", "US"),
        ("Dublin", "IE"),
        (None, "CA"),
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Remote - Alabama, Massachusetts, or Pennsylvania", 3),
        ("Skopje, Zagreb, Split", 3),
        ("Denver, CO, Reno, NV", 2),
        ("Ohio, USA, Remote; Utah, USA, Remote; Texas, USA, Remote; Iowa, USA, Remote", 4),
        ("Paris, France", 1),
    ],
)
def test_counts_the_places_of_one_field(text: str, count: int) -> None:
    assert len(parse_location(text).places) == count


def test_nothing_is_a_location_of_nothing() -> None:
    assert parse_location(None) == parse_location("  ") == Location()


@given(st.text(max_size=200))
def test_never_raises(text: str) -> None:
    parse_location(text)


@given(st.sampled_from(["Lyon, France", "Austin, TX", "GB, , Leeds"]), st.booleans())
def test_case_and_edges_do_not_matter_to_a_city(text: str, shout: bool) -> None:
    city = text.split(", ")[0] if not text.startswith("GB") else "Leeds"
    written = text.replace(city, city.upper() if shout else city.lower())
    assert parse_location(f"  {written} ").city == parse_location(text).city


def test_the_gazetteer_finds_by_any_of_its_ways_to_write() -> None:
    assert key_of("  São Paulo ") == "sao paulo"
    assert key_of("St. Gallen") == key_of("Saint-Gallen")
    assert find("kobenhavn")[0].name == "Copenhagen"
    assert find("berlin")[0].country == "DE"
    assert find("deutschland")[0].kind is Kind.COUNTRY
    assert find("no such place") == ()
    assert find("") == ()


@pytest.mark.parametrize("piece", ["a, ", "(", "| ", "remote ", "A1B ", " - ", "or "])
def test_long_input_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert least_seconds(lambda: parse_location(text), enough=2) < 2
