"""The criteria of a search as conditions on the table of jobs.

Columns stand bare on their side of each comparison, so that their indexes serve. Cheap conditions
come first: PostgreSQL checks them in this order where it thinks that all cost the same, and to
match words it has to unpack a long tsvector, which it does not count as a cost.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, any_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs import queries
from jobboard.jobs.criteria import JobCriteria, UndisclosedPay
from jobboard.jobs.models import Job
from jobboard.jobs.places import parse_location

# A minus right before another. Some thirty of them are "tsquery stack too small" to PostgreSQL.
_PILED_UP = re.compile(r"-(?=(?:[-\s!&|()]|\bor\b)*-)", re.IGNORECASE)

CONFIG = "english"  # of Job.search
PLACE_CONFIG = "simple"  # of Job.place_search

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


def words(q: str) -> ColumnElement:
    """`q` as a tsquery, in PostgreSQL's own reading of the web's syntax. No text is an error."""
    return func.websearch_to_tsquery(CONFIG, _PILED_UP.sub("", q))


def place_words(location: str) -> ColumnElement:
    """All words of a place as a tsquery on Job.place_search."""
    return func.plainto_tsquery(PLACE_CONFIG, location)


def place_name(name: str) -> ColumnElement:
    """The same for words that stand side by side, as in "New York"."""
    return func.phraseto_tsquery(PLACE_CONFIG, name)


def everything(data: JobCriteria) -> list[ColumnElement[bool]]:
    """All conditions; a job found fulfils each."""
    return [*_plain(data), *chosen(data).values(), *_texts(data)]


def common(data: JobCriteria) -> list[ColumnElement[bool]]:
    """The conditions that no facet counts."""
    return [*_plain(data), *_texts(data)]


def chosen(
    data: JobCriteria, columns: Mapping[str, Column] = CHOICES
) -> dict[str, ColumnElement[bool]]:
    """The conditions on CHOICES, or on columns of these names: any of the values given."""
    given = {name: getattr(data, name) for name in CHOICES}
    return {name: _any_of(columns[name], values) for name, values in given.items() if values}


def _any_of(column: Column, values: list[str]) -> ColumnElement[bool]:
    """One condition for any number of values. (The planner takes a plain `=` out of the order in
    which conditions are written, and checks it after the words.)"""
    return column == any_(cast(values, ARRAY(Text)))


def _plain(data: JobCriteria) -> list[ColumnElement[bool]]:
    conditions = [queries.live(), *_pay(data)]
    if data.posted_within:
        conditions.append(Job.published_at >= now() - timedelta(days=data.posted_within))
    if data.company:
        conditions.append(_company(data.company))
    return conditions


def _texts(data: JobCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if data.tag:
        conditions.append(Job.tags.contains(cast(data.tag, ARRAY(Text))))
    if data.location:
        conditions.append(_place(data.location))
    if data.q:
        conditions.append(Job.search.bool_op("@@")(words(data.q)))
    return conditions


def _place(location: str) -> ColumnElement[bool]:
    """Jobs whose place has all these words, or lies where they were read to be: "Germany" finds
    "Köln", "Munich" finds "München", and "home office" what is remote."""
    read = parse_location(location)
    place = Job.place_search.bool_op("@@")
    certain: list[ColumnElement[bool]] = []
    if name := read.city or read.region:
        certain.append(place(place_name(name)))
    if read.country:
        certain.append(Job.country == read.country)
    if read.remote:
        certain.append(Job.remote == read.remote)
    in_words = place(place_words(location))
    return or_(in_words, and_(*certain)) if certain else in_words


def _company(slug_or_id: str) -> ColumnElement[bool]:
    """A company that does not exist has no jobs: that is no error."""
    try:
        return Job.company_id == UUID(slug_or_id)
    except ValueError:
        named = select(Company.id).where(Company.slug == slug_or_id.lower())
        return Job.company_id == named.scalar_subquery()


def _pay(data: JobCriteria) -> list[ColumnElement[bool]]:
    readable = and_(PAY.is_not(None), Job.currency.is_not(None))
    conditions = []
    if data.undisclosed_pay is UndisclosedPay.EXCLUDE:
        conditions.append(readable)
    if data.salary_min is not None:
        enough = and_(Job.currency == data.currency, data.salary_min <= PAY)
        conditions.append(or_(enough, ~readable))
    return conditions
