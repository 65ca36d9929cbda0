"""Writes ads by the million: each sentence is rendered once, and an ad is joined of them.

What makes a large board: few words that every ad has and many that hardly any has (Zipf's law),
for titles, companies, places and for what people work with. Ad `number` of a seed is always the
same; when it was posted depends on how many there are, the first ones being the oldest.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2s
from itertools import islice
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from jobboard.demo import names
from jobboard.demo.jobs import PAY_COLUMNS, SOURCE, pay_of
from jobboard.demo.market import NEWEST_DAYS
from jobboard.demo.pay import salary
from jobboard.demo.vocabulary import Country, Occupation, Variant, vocabulary
from jobboard.infra.richtext import html_and_text
from jobboard.infra.slugs import ALPHABET, slugify
from jobboard.jobs.gazetteer import largest_cities
from jobboard.jobs.models import JobStatus, Workplace
from jobboard.jobs.places import Location, parse_location
from jobboard.jobs.points import written

CHUNK = 5_000  # ads that are drawn from one seed, one after the other
COMPANIES = 20_000  # at most; one for PER_COMPANY ads of a smaller board
PER_COMPANY = 50
CITIES = 250  # of each country
CLOSED = 0.04  # share of ads that nobody finds any more
PAYS = 8  # different salaries of one occupation in one country
COLUMNS = (
    "slug", "company_id", "company_name", "title", "description", "description_html",
    "description_text", "location", "city", "region", "country", "places", "remote",
    "employment_type",
    "experience", "tags", "apply_url", *PAY_COLUMNS, "status", "created_at", "updated_at",
    "submitted_at", "approved_at", "published_at", "expires_at", "source", "external_id",
)  # fmt: skip
SPECIAL = ("", "", "", "", "Senior ", "Lead ", "Junior ", "Deputy ")
TURNS = (
    ", early shift",
    ", night shift",
    ", weekends",
    ", parental leave cover",
    ", part of a team",
)
TOOL_SENTENCES = (
    "You will work with {0} and {1}, and sooner or later with {2}.",
    "We plan with {0}, keep our records in {1} and order through {2}.",
    "If you know {0} or {1}, so much the better; {2} can be learned here.",
    "Our tools are {0}, {1} and, since last year, {2}.",
)


class Piece(NamedTuple):
    """A part of an ad, in each of the three ways it is kept."""

    markdown: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Firm:
    """A company of the large board."""

    number: int
    id: UUID
    name: str
    country: Country
    cities: tuple[str, ...]
    occupations: tuple[str, ...]


@cache
def paragraph(source: str) -> Piece:
    """A paragraph, rendered as the product does it."""
    return Piece(source, *html_and_text(source))


def _listed(heading: str, items: Iterable[str]) -> Piece:
    """A heading and a list."""
    rendered = [(item, _inline(item), paragraph(item).text) for item in items]
    return Piece(
        "\n".join([f"## {heading}", "", *(f"- {item}" for item, _, _ in rendered)]),
        "\n".join(
            [f"<h2>{_inline(heading)}</h2>", "<ul>"]
            + [f"<li>{html}</li>" for _, html, _ in rendered]
            + ["</ul>"]
        ),
        "\n".join([heading, *(text for _, _, text in rendered)]),
    )


@cache
def _inline(source: str) -> str:
    return paragraph(source).html.removeprefix("<p>").removesuffix("</p>")


def company_count(jobs: int) -> int:
    """How many companies post so many ads."""
    return min(max(jobs // PER_COMPANY, 1), COMPANIES)


def company_rows(seed: int, count: int, present: datetime) -> Iterator[tuple[Any, ...]]:
    """(name, slug, website, description, description_html, created_at) of each company."""
    for number in range(count):
        name = names.company(number)
        about = f"{name} is an invented company of the demo board, number {number + 1:,} of many."
        slug = f"{slugify(name)}-{seed}-{number}"
        html = html_and_text(about)[0]
        yield name, slug, website(slug), about, html, present - timedelta(days=400)


def website(slug: str) -> str:
    """Its address, in a domain that is reserved for examples (RFC 2606)."""
    return f"https://{slug}.example.com"


class Mill:
    """Makes rows of COLUMNS for the ads of one seed."""

    def __init__(
        self, seed: int, company_ids: Mapping[int, UUID], jobs: int, present: datetime, days: int
    ) -> None:
        self._seed, self._ids, self._jobs = seed, company_ids, jobs
        self._present, self._shown = present, timedelta(days=days)
        self._words = vocabulary()
        self._firm: Callable[[int], Firm] = cache(self._make_firm)
        self._pays: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}

    def rows(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """Of the ads numbered `first` up to `last`, which lie in one chunk."""
        begins = first - first % CHUNK
        rng = Random(f"jobboard mill {self._seed} {begins}")
        drawn = (self._row(rng, number) for number in range(begins, last))
        return islice(drawn, first - begins, None)

    def external_id(self, number: int) -> str:
        """What makes a second run of the same seed find that the ad is there."""
        return f"{self._seed}-{number}"

    def _row(self, rng: Random, number: int) -> tuple[Any, ...]:
        firm = self._firm(names.often(rng, len(self._ids)))
        occupation = self._words.occupations[rng.choice(firm.occupations)]
        variant, workplace = rng.choice(occupation.variants), rng.choice(occupation.workplaces)
        city, tools = rng.choice(firm.cities), [names.often(rng, names.TOOLS) for _ in range(3)]
        title = _title(rng, variant, tools[0])
        location = f"{city}, {firm.country.name}"
        if workplace is Workplace.REMOTE and rng.random() < 0.3:
            location = f"Remote, {firm.country.name}"
        place = _place(location)
        pieces = self._pieces(rng, occupation, tools)
        texts = [
            joint.join(part).replace("{company}", firm.name).replace("{city}", city)
            for joint, part in zip(("\n\n", "\n", "\n"), zip(*pieces, strict=True), strict=True)
        ]
        tags = [*rng.sample(occupation.tags, 2), names.tool(tools[1]).lower()]
        return (
            self._slug(title, firm.name, number), firm.id, firm.name, title, *texts, location,
            place.city, place.region, place.country, _places(place), workplace,
            variant.employment_type,
            variant.experience, tags, None,
            *rng.choice(self._pays_of(occupation, variant, firm.country)),
            *self._life(rng, number), SOURCE, self.external_id(number),
        )  # fmt: skip

    def _pieces(self, rng: Random, work: Occupation, tools: list[int]) -> list[Piece]:
        phrases = self._words.phrases
        sentence = rng.choice(TOOL_SENTENCES).format(*(names.tool(tool) for tool in tools))
        plain = Piece(sentence, f"<p>{sentence}</p>", sentence)  # letters and commas only
        return [
            paragraph(rng.choice(work.intros)),
            _listed(rng.choice(phrases["headings_duties"]), rng.sample(work.duties, 3)),
            plain,
            _listed(rng.choice(phrases["headings_needs"]), rng.sample(work.needs, 2)),
            paragraph(rng.choice(work.scenes)),
            paragraph(rng.choice(phrases["next"])),
        ]

    def _life(self, rng: Random, number: int) -> tuple[Any, ...]:
        """Status and the moments of its steps: more ads of the last days than of last month."""
        part = min((number + rng.random()) / self._jobs, 1.0)
        age = timedelta(minutes=5 + (1 - part) ** 1.5 * NEWEST_DAYS * 24 * 60)
        posted = self._present - age
        closed = rng.random() < CLOSED
        status, changed = JobStatus.PUBLISHED, posted
        if closed:
            status, changed = JobStatus.CLOSED, posted + age * 0.7
        sent = posted - timedelta(hours=5)
        return status, sent, changed, sent, posted, posted, posted + self._shown

    def _slug(self, title: str, company: str, number: int) -> str:
        bits = int.from_bytes(blake2s(self.external_id(number).encode(), digest_size=8).digest())
        tail = ""
        for _ in range(8):
            bits, letter = divmod(bits, len(ALPHABET))
            tail += ALPHABET[letter]
        return f"{_slugified(title, company)}-{tail}"

    def _make_firm(self, number: int) -> Firm:
        rng = Random(f"jobboard firm {self._seed} {number}")
        countries, works = _countries(), list(self._words.occupations)
        country = countries[names.often(rng, len(countries))]
        cities = _cities(country.code)
        some = tuple(cities[names.often(rng, len(cities))] for _ in range(rng.choice((1, 1, 2, 4))))
        hires = tuple(works[names.often(rng, len(works))] for _ in range(rng.choice((1, 2, 3))))
        return Firm(number, self._ids[number], names.company(number), country, some, hires)

    def _pays_of(
        self, occupation: Occupation, variant: Variant, country: Country
    ) -> list[tuple[Any, ...]]:
        key = (occupation.key, variant.title, country.code)
        if key not in self._pays:
            rng = Random(f"jobboard pay {self._seed} {' '.join(key)}")
            made = (pay_of(salary(rng, occupation, variant, country)) for _ in range(PAYS))
            self._pays[key] = [tuple(pay[name] for name in PAY_COLUMNS) for pay in made]
        return self._pays[key]


def _title(rng: Random, variant: Variant, tool: int) -> str:
    title = rng.choice(SPECIAL) + variant.title
    if rng.random() < 0.25:
        return f"{title} ({names.tool(tool)})"
    return title + rng.choice(TURNS) if rng.random() < 0.15 else title


@lru_cache(maxsize=10_000)
def _slugified(title: str, company: str) -> str:
    return slugify(title, company)


@cache
def _place(location: str) -> Location:
    return parse_location(location)


@cache
def _places(place: Location) -> str:
    return json.dumps(written(place))


@cache
def _cities(country: str) -> list[str]:
    return largest_cities(country, CITIES)


@cache
def _countries() -> list[Country]:
    """The ones with the most people first, roughly: by how many employers of the small demo."""
    employers = list(vocabulary().employers.values())
    some = {one.country.code: one.country for one in employers}
    shares = {code: sum(one.country.code == code for one in employers) for code in some}
    return sorted(some.values(), key=lambda country: (-shares[country.code], country.code))
