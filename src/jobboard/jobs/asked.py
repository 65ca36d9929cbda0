"""What a search asks, first in plain values (`read`), then in SQL: as parameters of one search
(`by_one`) or as columns of many (`many`). `filters` writes each condition once, on either."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSQUERY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.jobs.criteria import JobCriteria, UndisclosedPay
from jobboard.jobs.places import parse_location

PLACE_CONFIG = "simple"  # of LiveJob.place_search

Condition = ColumnElement[bool]

# Any of a few values each.
ANY_OF = ("employment_type", "remote", "experience", "country")
# What `read` gives, as PostgreSQL takes it.
TYPES: dict[str, Any] = {
    "readable_pay": Boolean(),
    "salary_min": BigInteger(),
    "currency": Text(),
    "posted_within": Integer(),
    "company_id": PG_UUID(as_uuid=False),
    "company_slug": Text(),
    **dict.fromkeys(ANY_OF, ARRAY(Text)),
    "tag": ARRAY(Text),
    "near_km": Integer(),
    "near_north": Double(),
    "near_east": Double(),
    "from_afar": ARRAY(Text),
    "place": Text(),
    "place_name": Text(),
    "place_country": Text(),
    "place_remote": Text(),
    "words": Text(),
}
EUROS = "euros"  # what `salary_min` is by the newest rate, in cents: PostgreSQL knows
# Of these it makes a tsquery: as `words.py` writes it, all words, words side by side ("New York").
QUERIES: dict[str, Callable[[Any], ColumnElement]] = {
    "words": lambda text: cast(text, TSQUERY),
    "place": lambda text: func.plainto_tsquery(PLACE_CONFIG, text),
    "place_name": lambda text: func.phraseto_tsquery(PLACE_CONFIG, text),
}
CERTAIN = ("place_name", "place_country", "place_remote")


def words(data: JobCriteria) -> ColumnElement:
    """What `q` of a search means, as a tsquery."""
    return QUERIES["words"](cast(bindparam("words", data.words or "", Text), Text))


def read(data: JobCriteria) -> dict[str, Any]:
    """What a search asks, by the names of TYPES; what it does not ask is absent."""
    asked: dict[str, Any] = {name: getattr(data, name) for name in ANY_OF if getattr(data, name)}
    if data.undisclosed_pay is UndisclosedPay.EXCLUDE:
        asked["readable_pay"] = True
    if data.salary_min is not None:
        asked |= {"salary_min": data.salary_min, "currency": data.currency}
    if data.posted_within:
        asked["posted_within"] = data.posted_within
    if data.company:
        asked |= _read_company(data.company)
    if data.tag:
        asked["tag"] = data.tag
    if data.location:
        asked |= _read_circle(data) if data.radius_km else _read_place(data.location)
    if data.location and data.include_remote:
        asked["from_afar"] = _afar(data.location)
    if data.words is not None:
        asked["words"] = data.words
    return asked


def read_one(data: JobCriteria) -> dict[str, Any]:
    """The same of one search, and what its pay is in euros, if there is a rate."""
    asked = read(data)
    if data.salary_min is not None and data.euros is not None:
        asked[EUROS] = data.euros
    return asked


def _read_company(slug_or_id: str) -> dict[str, str]:
    try:
        return {"company_id": str(UUID(slug_or_id))}
    except ValueError:
        return {"company_slug": slug_or_id.lower()}


def _read_circle(data: JobCriteria) -> dict[str, Any]:
    north, east = data.centre()
    return {"near_km": data.radius_km, "near_north": north, "near_east": east}


def _afar(location: str) -> list[str]:
    """Kinds of remote jobs that are done from there: of its country, or of none."""
    country = parse_location(location).country
    return ["from:*", f"from:{country}"] if country else ["from:*"]


def _read_place(location: str) -> dict[str, str]:
    """Its words, and what is certain of where they are: "Germany" also finds "Köln"."""
    place = parse_location(location)
    certain = (place.city or place.region, place.country, place.remote)
    named = {name: value for name, value in zip(CERTAIN, certain, strict=True) if value}
    return {"place": location, **named}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, in SQL: by parameters of one search, or `by_many`, in columns that are NULL
    where a search does not ask it. `in_rows`: words are not looked up in the index."""

    values: Mapping[str, ColumnElement[Any]]
    by_many: bool = False
    in_rows: bool = False

    def only(self, names: Collection[str]) -> "Asked":
        """As if nothing else were asked."""
        return replace(self, values={n: v for n, v in self.values.items() if n in names})

    def where(self, name: str, condition: Callable[[ColumnElement], Condition]) -> list[Condition]:
        """The condition on what is asked by this name; none where nobody asks."""
        if name not in self.values:
            return []
        value = self.values[name]
        met = condition(value)
        return [or_(value.is_(None), met)] if self.by_many else [met]

    def any_given(self, names: Iterable[str]) -> list[Condition]:
        """That one of these is asked, where that is not known before."""
        return [or_(*(self.values[name].is_not(None) for name in names))] if self.by_many else []


def matched(
    lexemes: ColumnElement | InstrumentedAttribute, query: Any, *, in_rows: bool
) -> Condition:
    """That a query matches; `in_rows` no index can tell."""
    match = lexemes.bool_op("@@")(query)
    return match.is_(true()) if in_rows else match


def by_one(data: JobCriteria, *, bare: bool = False) -> Asked:
    """What one search asks."""
    types = TYPES | {EUROS: BigInteger()}
    given: dict[str, ColumnElement[Any]] = {
        name: cast(bindparam(name, value, types[name]), types[name])
        for name, value in read_one(data).items()
    }
    made = {name: QUERIES[name](given[name]) for name in QUERIES if name in given}
    if not bare:  # a query of its own is read once, not for each job that it is held against
        made = {name: once(query) for name, query in made.items()}
    return Asked(given | made)


def once(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same, reckoned once in a statement."""
    return select(value).scalar_subquery()


def numbered(readings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the parameter `asked` of `many` holds."""
    return [{"n": n, **asked} for n, asked in enumerate(readings)]


def many() -> CTE:
    """What the searches of the parameter `asked` ask, a row for each, whose `n` is its number."""
    shape = [column("n", Integer()), *(column(name, kind) for name, kind in TYPES.items())]
    given = func.jsonb_to_recordset(bindparam("asked", type_=JSONB)).table_valued(*shape)
    given = given.render_derived(name="given", with_types=True)
    values = [
        QUERIES[name](given.c[name]).label(name) if name in QUERIES else given.c[name]
        for name in TYPES
    ]
    values.append(func.jobboard_in_euros(given.c.salary_min, given.c.currency).label(EUROS))
    return select(given.c.n, *values).cte("asked").prefix_with("MATERIALIZED")
