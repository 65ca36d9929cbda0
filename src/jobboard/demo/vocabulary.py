"""The words that ads are made of, read from `words/*.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jobboard.jobs.models import EmploymentType, Experience, PayPeriod, Workplace


@dataclass(frozen=True)
class Variant:
    """One way to offer an occupation: the title and the contract that goes with it."""

    title: str
    employment_type: EmploymentType
    experience: Experience


@dataclass(frozen=True)
class Occupation:
    """What people do and what an ad may say about it. `pay`: thousands of euros in Germany."""

    key: str
    variants: tuple[Variant, ...]
    pay: tuple[int, int]
    quoted: PayPeriod
    workplaces: tuple[Workplace, ...]
    tags: tuple[str, ...]
    intros: tuple[str, ...]
    duties: tuple[str, ...]
    needs: tuple[str, ...]
    scenes: tuple[str, ...]


@dataclass(frozen=True)
class Country:
    """`pay` turns a German euro into local money; `quoted` is how it is usually stated there."""

    code: str
    name: str
    currency: str
    pay: float
    hours: str
    quoted: dict[PayPeriod, PayPeriod]


@dataclass(frozen=True)
class Employer:
    """A company and what it says of itself."""

    key: str
    name: str
    country: Country
    hours: str
    places: tuple[str, ...]
    about: tuple[str, ...]
    offers: tuple[str, ...]
    description: str
    hires: tuple[str, ...]
    of_demo_login: bool
    applies_elsewhere: bool
    logo: tuple[str, ...]

    @property
    def website(self) -> str:
        """Its address, in a domain that is reserved for examples (RFC 2606)."""
        return f"https://{self.key}.example.com"


@dataclass(frozen=True)
class Vocabulary:
    """All of it. `phrases` are sentences that fit any ad, `odd_ad` one that none should repeat."""

    occupations: dict[str, Occupation]
    employers: dict[str, Employer]
    phrases: dict[str, Any]
    odd_ad: dict[str, Any]


@cache
def vocabulary() -> Vocabulary:
    """Read once for the process."""
    countries = {code: _country(code, row) for code, row in _read("countries.toml").items()}
    occupations = {
        key: _occupation(key, row)
        for name in sorted(_names("occupations"))
        for key, row in _read("occupations", name).items()
    }
    employers = {
        key: _employer(key, row, countries) for key, row in _read("companies.toml").items()
    }
    return Vocabulary(occupations, employers, _read("phrases.toml"), _read("odd_ad.toml"))


def _names(folder: str) -> list[str]:
    return [file.name for file in _words().joinpath(folder).iterdir()]


def _read(*path: str) -> dict[str, Any]:
    return tomllib.loads(_words().joinpath(*path).read_text("utf-8"))


def _words() -> Any:
    return resources.files("jobboard.demo").joinpath("words")


def _country(code: str, row: dict[str, Any]) -> Country:
    quoted = {period: PayPeriod(row.get(period, period)) for period in PayPeriod}
    return Country(code, row["name"], row["currency"], row["pay"], row["hours"], quoted)


def _occupation(key: str, row: dict[str, Any]) -> Occupation:
    low, high = row["pay"]
    return Occupation(
        key=key,
        variants=tuple(
            Variant(title, EmploymentType(kind), Experience(level))
            for title, kind, level in row["variants"]
        ),
        pay=(low, high),
        quoted=PayPeriod(row["quoted"]),
        workplaces=tuple(Workplace(place) for place in row["workplaces"]),
        **{name: tuple(row[name]) for name in ("tags", "intros", "duties", "needs", "scenes")},
    )


def _employer(key: str, row: dict[str, Any], countries: dict[str, Country]) -> Employer:
    country = countries[row["country"]]
    return Employer(
        key=key,
        name=row["name"],
        country=country,
        hours=row.get("hours", country.hours),
        description=row["description"].strip(),
        of_demo_login=row.get("demo_employer", False),
        applies_elsewhere=row.get("applies_elsewhere", False),
        logo=tuple(row.get("logo", ())),
        **{name: tuple(row[name]) for name in ("places", "about", "offers", "hires")},
    )
