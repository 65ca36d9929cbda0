"""How many jobs a search finds, and how many each choice of a filter would bring.

Counted are the newest COUNT_CAP that are found: exact where there are no more, else "at least". A
count of a million jobs would take longer than anybody waits for a number.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Text,
    cast,
    false,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import walk
from jobboard.jobs.asked import read_one
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.estimates import Expected, counted_alone
from jobboard.jobs.filters import CHOICES
from jobboard.jobs.kept import ask

COUNT_CAP = 1_000

Facets = dict[str, dict[str, int]]


class Total(BaseModel):
    """How many jobs are found: exactly (`eq`), or at least (`gte`) this many."""

    value: int
    relation: Literal["eq", "gte"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted; `all_jobs` and `all_choices` tell whether there is no more of it."""

    jobs: int
    all_jobs: bool
    choices: Facets
    all_choices: bool

    @property
    def total(self) -> Total:
        """The same for those who asked."""
        return Total(value=self.jobs, relation="eq" if self.all_jobs else "gte")


async def count(
    session: AsyncSession, data: JobSearch, expected: Expected, *, cap: int = 0
) -> Counted:
    """How many jobs are found, and with `data.facets`, how many each value of each filter in
    CHOICES would bring: all other filters hold for a facet, its own does not; most first. Counted
    is up to `cap`, or COUNT_CAP."""
    cap = cap or COUNT_CAP
    values = {**read_one(data), **expected.named(data)}
    for part in ["", *counted_alone(data)]:
        if keys := expected.spans(data, part):
            values[_name(part)] = keys
    asked = (*expected.shape(data), data.facets, frozenset(values))
    shape = ("counts", cap, walk.PATIENCE, *asked)
    rows = await ask(session, shape, lambda: _counts(data, expected, cap), values)
    choices: Facets = {name: {} for name in CHOICES} if data.facets else {}
    whole = {}
    for row in rows:
        if row.value is None:
            whole[row.facet] = row.jobs <= cap and not row.late
    for row in sorted(rows, key=lambda row: (-row.jobs, row.value or "")):
        if row.value is not None:
            choices[row.facet][row.value] = row.jobs
    jobs = next(row.jobs for row in rows if row.facet == "" and row.value is None)
    return Counted(min(jobs, cap), whole[""], choices, all(whole.values()))


def _counts(data: JobSearch, expected: Expected, cap: int) -> Any:
    """Rows of (facet, value, jobs, late); how many were counted for a facet has no value, and what
    all filters leave has no facet. Filters that are used each have jobs of their own to count."""
    found = _found(data, expected, cap, "")
    rows = [_number(found, "", expected.spans(data))]
    for name in CHOICES if data.facets else ():
        if getattr(data, name):
            own = _found(data, expected, cap, name)
            rows += [_number(own, name, expected.spans(data, name)), _values(own, cap, name)]
        else:
            rows.append(_values(found, cap, name))
    return union_all(*rows)


def _found(data: JobSearch, expected: Expected, cap: int, but: str) -> CTE:
    """The newest that are found, one more than are counted; without the filter `but`."""
    conditions, spans = expected.conditions(data, but), expected.spans(data, but)
    columns = [column.label(name) for name, column in CHOICES.items()]
    some = walk.newest(columns, conditions, spans, cap + 1, named=_name(but))
    return some.cte(f"found_{but}").prefix_with("MATERIALIZED")


def _name(but: str) -> str:
    return f"spans_{but}"


def _number(found: CTE, facet: str, spans: list[int]) -> Select:
    """What was looked at all at once is complete, however late it is."""
    return select(
        cast(literal(facet), Text).label("facet"),
        cast(null(), Text).label("value"),
        func.count().label("jobs"),
        (walk.late() if spans else false()).label("late"),
    ).select_from(found)


def _values(found: CTE, cap: int, name: str) -> Select:
    held: ColumnElement[Any] = found.c[name]
    if isinstance(held.type, ARRAY):
        held = func.unnest(held)
    each = select(held.label("value")).select_from(found).subquery(f"each_{name}")
    counted = func.least(func.count(), cap)
    return (
        select(cast(literal(name), Text), each.c.value, counted, literal(False))
        .where(each.c.value.is_not(None))
        .group_by(each.c.value)
    )
