"""The criteria of a search as conditions on the table of live jobs.

Each condition is written once, on values that are parameters of one search (`everything`) or
columns of many (`of_each`): the page that a person looks at and a hundred thousand saved searches
mean the same by construction.

Columns stand bare on their side of each comparison, so that their indexes serve. Cheap conditions
come first: PostgreSQL checks them in this order where it thinks that all cost the same, and to
match words it has to unpack a long tsvector, which it does not count as a cost.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
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
from jobboard.jobs.asked import CERTAIN, EUROS, Asked, Condition, by_one, matched, read
from jobboard.jobs.criteria import JobCriteria, UndisclosedPay
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
STEPS = 127  # of pay, in its own currency: up to 2 ** 63
STEPS_IN_EUROS = 61  # up to ten million a year; what is paid more is in the last one, too
READABLE = and_(PAY.is_not(None), LiveJob.currency.is_not(None))
NO_RATE = (LiveJob.euros.is_(None), LiveJob.currency.is_not(None), PAY.is_not(None))
UNKNOWN = "pay:?"  # the kind of what is not READABLE
UNPAID = LiveJob.kinds.contains(cast(array([literal(UNKNOWN)]), ARRAY(Text)))


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
    kinds = {name: [f"{name}:{value}" for value in values] for name, values in asked.items()}
    if data.radius_km:
        kinds["near"] = reached(read(data))
    if data.salary_min is not None:
        kinds["pay"] = list(_paid(data, data.salary_min))
    return {f"reach_{name}": values for name, values in kinds.items() if values}


def reached(asked: Mapping[str, Any]) -> list[str]:
    """Kinds of jobs of which each that is near has one, of what `read` gave."""
    point = asked["near_north"], asked["near_east"]
    return [*squares(point, asked["near_km"]), *asked.get("from_afar", [])]


def _paid(data: JobCriteria, least: int) -> Iterator[str]:
    """Steps of pay, in the currency and in euros; and pay that is not known, if that will do."""
    if data.undisclosed_pay is UndisclosedPay.INCLUDE:
        yield UNKNOWN
    yield from (pay_kind(str(data.currency), step) for step in range(step_below(least), STEPS))
    if data.euros is not None:
        lowest = min(step_below(data.euros), STEPS_IN_EUROS - 1)
        yield from (euros_kind(step) for step in range(lowest, STEPS_IN_EUROS))


def pay_kind(currency: str, step: int) -> str:
    """The kind of jobs whose pay lies in a step of its own currency."""
    return f"pay:{currency}:{step}"


def euros_kind(step: int) -> str:
    """The kind of jobs whose pay lies in a step of euros."""
    return f"euros:{step}"


def step_below(amount: int) -> int:
    """The one before that of `jobboard_step` (a migration), since both reckon with fractions."""
    return max(int(2 * math.log2(max(amount, 1))) - 1, 0)


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
        """In the same currency to the cent; in others by exchange rates, where there are any."""
        currency, euros = asked.values["currency"], asked.values.get(EUROS)
        ways = [and_(LiveJob.currency == currency, least <= PAY)]
        if euros is not None:
            ways.append(and_(LiveJob.currency != currency, euros <= LiveJob.euros))
        return or_(*ways, ~READABLE)

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
