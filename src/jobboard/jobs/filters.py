"""The criteria of a search as conditions on the table of jobs.

Each condition is written once, on values that are parameters of one search (`everything`) or
columns of many (`of_each`): the page that a person looks at and a hundred thousand saved searches
mean the same by construction.

Columns stand bare on their side of each comparison, so that their indexes serve. Cheap conditions
come first: PostgreSQL checks them in this order where it thinks that all cost the same, and to
match words it has to unpack a long tsvector, which it does not count as a cost.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CTE, ColumnElement, and_, any_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.companies.models import Company
from jobboard.jobs import queries
from jobboard.jobs.asked import CERTAIN, Asked, Condition, by_one
from jobboard.jobs.criteria import JobCriteria
from jobboard.jobs.models import Job

Column = InstrumentedAttribute[Any] | ColumnElement[Any]

# The filters with a few choices each; the facets count these.
CHOICES: dict[str, InstrumentedAttribute] = {
    "employment_type": Job.employment_type,
    "remote": Job.remote,
    "experience": Job.experience,
    "country": Job.country,
}

# The best pay for a year that a job offers, as the index ix_jobs_live_pay has it.
PAY = func.coalesce(Job.yearly_max, Job.yearly_min)
READABLE = and_(PAY.is_not(None), Job.currency.is_not(None))


def everything(data: JobCriteria) -> list[Condition]:
    """All conditions; a job found fulfils each."""
    return _everything(by_one(data))


def of_each(asked: CTE) -> list[Condition]:
    """The same for each of `many` searches, on the jobs that are joined to it."""
    return _everything(Asked(dict(asked.c), by_many=True))


def common(data: JobCriteria) -> list[Condition]:
    """The conditions that no facet counts."""
    asked = by_one(data)
    return [*_plain(asked), *_texts(asked)]


def chosen(data: JobCriteria, columns: Mapping[str, Column] = CHOICES) -> dict[str, Condition]:
    """The conditions on CHOICES, or on columns of these names: any of the values given."""
    asked = by_one(data)
    return {name: met for name in CHOICES for met in _choice(asked, name, columns[name])}


def _everything(asked: Asked) -> list[Condition]:
    choices = [met for name in CHOICES for met in _choice(asked, name, CHOICES[name])]
    return [*_plain(asked), *choices, *_texts(asked)]


def _choice(asked: Asked, name: str, values: Column) -> list[Condition]:
    """One condition for any number of values. (The planner takes a plain `=` out of the order in
    which conditions are written, and checks it after the words.)"""
    return asked.where(name, lambda wanted: values == any_(wanted))


def _plain(asked: Asked) -> list[Condition]:
    def enough(least: ColumnElement) -> Condition:
        return or_(and_(Job.currency == asked.values["currency"], least <= PAY), ~READABLE)

    def recent(days: ColumnElement) -> Condition:
        return Job.published_at >= func.now() - func.make_interval(0, 0, 0, days)

    return [
        queries.live(),
        *asked.where("readable_pay", lambda _: READABLE),
        *asked.where("salary_min", enough),
        *asked.where("posted_within", recent),
        *asked.where("company_id", lambda company_id: Job.company_id == company_id),
        *asked.where("company_slug", lambda slug: Job.company_id == _company(slug)),
    ]


def _company(slug: ColumnElement) -> ColumnElement:
    """A company that does not exist has no jobs: that is no error."""
    return select(Company.id).where(Company.slug == slug).scalar_subquery()


def _texts(asked: Asked) -> list[Condition]:
    return [
        *asked.where("tag", Job.tags.contains),
        *asked.where("place", lambda place: _place(asked, place)),
        *asked.where("words", Job.search.bool_op("@@")),
    ]


def _place(asked: Asked, in_words: ColumnElement) -> Condition:
    """Jobs whose place has all these words, or lies where they were read to be: "Germany" finds
    "Köln", "Munich" finds "München", and "home office" what is remote."""
    place = Job.place_search.bool_op("@@")
    certain = [
        *asked.where("place_name", place),
        *asked.where("place_country", lambda country: Job.country == country),
        *asked.where("place_remote", lambda remote: Job.remote == remote),
    ]
    if not certain:
        return place(in_words)
    return or_(place(in_words), and_(*asked.any_given(CERTAIN), *certain))
