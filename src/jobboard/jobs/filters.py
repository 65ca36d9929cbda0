"""The criteria of a search as conditions on the table of live jobs.

Each condition is written once, on values that are parameters of one search (`everything`) or
columns of many (`of_each`): the page that a person looks at and a hundred thousand saved searches
mean the same by construction.

Columns stand bare on their side of each comparison, so that their indexes serve. Cheap conditions
come first: PostgreSQL checks them in this order where it thinks that all cost the same, and to
match words it has to unpack a long tsvector, which it does not count as a cost.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.companies.models import Company
from jobboard.jobs.asked import CERTAIN, Asked, Condition, by_one, matched, read
from jobboard.jobs.criteria import JobCriteria
from jobboard.jobs.live import LiveJob
from jobboard.jobs.near import squares

Column = InstrumentedAttribute[Any] | ColumnElement[Any]

# The filters with a few choices each; the facets count these.
CHOICES: dict[str, InstrumentedAttribute] = {
    "employment_type": LiveJob.employment_type,
    "remote": LiveJob.remote,
    "experience": LiveJob.experience,
    "country": LiveJob.countries,
}

PAY = LiveJob.pay
COUNTABLE = {"words", "place", *CERTAIN, "from_afar", "company_id", "company_slug"}
STEPS = 126  # of pay: up to 2 ** 63
READABLE = and_(PAY.is_not(None), LiveJob.currency.is_not(None))


def everything(data: JobCriteria, *, but: str = "", in_rows: bool = False) -> list[Condition]:
    """All conditions, or all but what is asked by that name; a job found fulfils each. `in_rows`,
    words are looked for in the rows that the others leave."""
    asked = replace(by_one(data), in_rows=in_rows)
    return _everything(asked.only(asked.values.keys() - {but}))


def of_each(asked: CTE) -> list[Condition]:
    """The same for each of `many` searches, on the jobs that are joined to it."""
    return _everything(Asked(dict(asked.c), by_many=True))


def matching(data: JobCriteria, *, but: str = "") -> list[Condition]:
    """The conditions that `within_reach` does not repeat, so that PostgreSQL can estimate how many
    jobs fulfil both; without one of them."""
    return _everything(by_one(data, bare=True).only(COUNTABLE - {but}))


def countable(data: JobCriteria) -> dict[str, Any]:
    """The parameters of `matching`: words, places in words, companies."""
    return {name: value for name, value in read(data).items() if name in COUNTABLE}


def within_reach(data: JobCriteria, but: str = "") -> list[Condition]:
    """What follows from `everything`, in words that the index of LiveJob knows: it rules out what
    other conditions would have to look at, and is no second opinion."""
    return [
        (LiveJob.kinds.contains if name == "reach_tag" else LiveJob.kinds.overlap)(
            bindparam(name, values, ARRAY(Text))
        )
        for name, values in named(data).items()
        if name != f"reach_{but}"
    ]


def named(data: JobCriteria) -> dict[str, list[str]]:
    """The parameters of that: what is asked, named as `jobboard_kinds` (a migration) does."""
    asked: dict[str, Sequence[str]] = {name: getattr(data, name) for name in (*CHOICES, "tag")}
    if data.salary_min is not None:
        asked["pay"] = _paid(data.salary_min, data.currency)
    kinds = {name: [f"{name}:{value}" for value in values] for name, values in asked.items()}
    if data.radius_km:
        kinds["near"] = reached(read(data))
    return {f"reach_{name}": values for name, values in kinds.items() if values}


def reached(asked: Mapping[str, Any]) -> list[str]:
    """Kinds of jobs of which each that is near has one, of what `read` gave."""
    point = asked["near_north"], asked["near_east"]
    return [*squares(point, asked["near_km"]), *asked.get("from_afar", [])]


def _paid(least: int, currency: str | None) -> list[str]:
    """Steps of pay of half an octave, from the one before `least` on; and what is not known."""
    lowest = max(int(2 * math.log2(max(least, 1))) - 1, 0)
    return ["?", *(f"{currency}:{step}" for step in range(lowest, STEPS))]


def _everything(asked: Asked) -> list[Condition]:
    choices = [met for name in CHOICES for met in _choice(asked, name)]
    return [*_plain(asked), *choices, *_texts(asked)]


def _choice(asked: Asked, name: str) -> list[Condition]:
    """One condition for any number of values. (The planner takes a plain `=` out of the order in
    which conditions are written, and checks it after the words.)"""
    if name == "country":
        return asked.where(name, LiveJob.countries.overlap)
    return asked.where(name, lambda wanted: CHOICES[name] == any_(wanted))


def _plain(asked: Asked) -> list[Condition]:
    def enough(least: ColumnElement) -> Condition:
        return or_(and_(LiveJob.currency == asked.values["currency"], least <= PAY), ~READABLE)

    def recent(days: ColumnElement) -> Condition:
        return LiveJob.published_at >= func.now() - func.make_interval(0, 0, 0, days)

    return [
        LiveJob.expires_at > func.now(),
        *asked.where("readable_pay", lambda _: READABLE),
        *asked.where("salary_min", enough),
        *asked.where("posted_within", recent),
        *asked.where("company_id", lambda company_id: _is("company", company_id)),
        *asked.where("company_slug", lambda slug: _is("company", _company(slug))),
    ]


def _is(kind: str, value: ColumnElement) -> Condition:
    """In words that the index knows."""
    return LiveJob.kinds.contains(array([literal(f"{kind}:", Text) + cast(value, Text)]))


def _company(slug: ColumnElement) -> ColumnElement:
    """A company that does not exist has no jobs: that is no error."""
    return select(Company.id).where(Company.slug == slug).scalar_subquery()


def _texts(asked: Asked) -> list[Condition]:
    return [
        *asked.where("tag", LiveJob.tags.contains),
        *asked.where("near_km", lambda km: or_(_near(asked, km), *_from_afar(asked))),
        *asked.where("place", lambda place: or_(_place(asked, place), *_from_afar(asked))),
        *asked.where("words", lambda q: matched(LiveJob.search, q, in_rows=asked.in_rows)),
    ]


def _near(asked: Asked, km: ColumnElement) -> Condition:
    """Jobs with a town in the circle."""
    centre = asked.values["near_north"], asked.values["near_east"]
    return func.jobboard_km(LiveJob.points, *centre) <= km


def _from_afar(asked: Asked) -> list[Condition]:
    """Remote jobs that will do as well, if they will."""
    kinds = asked.values.get("from_afar")
    return [] if kinds is None else [LiveJob.kinds.overlap(kinds)]


def _place(asked: Asked, in_words: ColumnElement) -> Condition:
    """Jobs whose place has all these words, or lies where they were read to be: "Germany" finds
    "Köln", "Munich" finds "München", and "home office" what is remote."""
    place = LiveJob.place_search.bool_op("@@")
    certain = [
        *asked.where("place_name", place),
        *asked.where("place_country", lambda country: _is("country", country)),
        *asked.where("place_remote", lambda remote: _is("remote", remote)),
    ]
    if not certain:
        return place(in_words)
    return or_(place(in_words), and_(*asked.any_given(CERTAIN), *certain))
