"""An endless row of job ads, the same for the same seed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from random import Random
from uuid import UUID

from jobboard.demo.deck import Deck
from jobboard.demo.pay import salary
from jobboard.demo.prose import Writer
from jobboard.demo.vocabulary import Employer, Occupation, Variant, Vocabulary, vocabulary
from jobboard.jobs.models import Workplace
from jobboard.jobs.schemas import JobCreate

NEWEST_DAYS = 45
WITHOUT_PLACE = 0.3  # share of remote jobs whose ad names only the country
ODD_AGE = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Ad:
    """One ad: its number in the row, whose it is, what it says, how long ago it was posted."""

    number: int
    employer: Employer
    data: JobCreate
    age: timedelta


def ads(seed: int, company_ids: Mapping[str, UUID]) -> Iterator[Ad]:
    """Ads without end, made through the schema that the API uses; the first is a dubious one."""
    words = vocabulary()
    market = _Market(Random(f"jobboard demo {seed}"), words, company_ids)
    odd = dict(words.odd_ad)
    key = odd.pop("company")
    yield Ad(0, words.employers[key], JobCreate(company_id=company_ids[key], **odd), ODD_AGE)
    yield from map(market.ad, count(1))


class _Market:
    """What is left to deal: places to fill, ways to offer each occupation."""

    def __init__(self, rng: Random, words: Vocabulary, company_ids: Mapping[str, UUID]) -> None:
        self._rng = rng
        self._company_ids = company_ids
        self._occupations = words.occupations
        self._writer = Writer(rng, words)
        self._openings = self._open(words)
        self._variants = {key: Deck(work.variants, rng) for key, work in words.occupations.items()}
        self._workplaces = {
            key: Deck(work.workplaces, rng) for key, work in words.occupations.items()
        }

    def _open(self, words: Vocabulary) -> Iterator[tuple[Employer, str]]:
        """Who hires for what, round after round: no occupation comes twice before each came."""
        pairs = [(one, key) for one in words.employers.values() for key in one.hires]
        while True:
            times: Counter[str] = Counter()
            turns: list[tuple[int, Employer, str]] = []
            for employer, key in self._rng.sample(pairs, len(pairs)):
                turns.append((times[key], employer, key))
                times[key] += 1
            for _, employer, key in sorted(turns, key=lambda turn: turn[0]):
                yield employer, key

    def ad(self, number: int) -> Ad:
        employer, key = next(self._openings)
        occupation, variant = self._occupations[key], self._variants[key].deal()
        data = self._data(employer, occupation, variant, self._workplaces[key].deal())
        return Ad(number, employer, data, self._age())

    def _data(
        self, employer: Employer, occupation: Occupation, variant: Variant, workplace: Workplace
    ) -> JobCreate:
        rng, place = self._rng, self._rng.choice(employer.places)
        city = place.partition(",")[0]
        apply_url = f"{employer.website}/jobs/{rng.randrange(1000, 9999)}"
        return JobCreate(
            company_id=self._company_ids[employer.key],
            title=variant.title,
            description=self._writer.describe(employer, occupation, variant, workplace, city),
            location=self._location(employer, place, workplace),
            remote=workplace,
            employment_type=variant.employment_type,
            experience=variant.experience,
            salary=salary(rng, occupation, variant, employer.country),
            tags=rng.sample(occupation.tags, rng.choice((2, 3, 3, 4))),
            apply_url=apply_url if employer.applies_elsewhere else None,
        )

    def _location(self, employer: Employer, place: str, workplace: Workplace) -> str:
        country = employer.country.name
        if workplace is Workplace.REMOTE and self._rng.random() < WITHOUT_PLACE:
            return f"Remote, {country}"
        return f"{place}, {country}"

    def _age(self) -> timedelta:
        """More of the last days than of last month, as on a board that grows."""
        return timedelta(minutes=5 + int(self._rng.random() ** 1.5 * NEWEST_DAYS * 24 * 60))
