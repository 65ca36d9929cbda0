"""How many jobs a search finds, and how many each choice of a filter would bring."""

from sqlalchemy import (
    CTE,
    BigInteger,
    CompoundSelect,
    Select,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.filters import CHOICES, chosen, common, everything
from jobboard.jobs.models import Job

COUNT_CAP = 10_000  # counting stops here, unless the facets count all jobs anyway

Facets = dict[str, dict[str, int]]


async def count(session: AsyncSession, data: JobSearch) -> int:
    """How many jobs are found; COUNT_CAP + 1 stands for all numbers above COUNT_CAP."""
    some = select(Job.id).where(*everything(data)).limit(COUNT_CAP + 1).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def count_choices(session: AsyncSession, data: JobSearch) -> tuple[int, Facets]:
    """How many jobs are found, and how many each value of each filter in CHOICES would bring.

    All other filters hold for a facet, its own does not; most first. All numbers are exact.
    """
    facets: Facets = {name: {} for name in CHOICES}
    (_, _, total), *counts = (await session.execute(_counts(data))).all()
    for facet, value, jobs in sorted(counts, key=lambda row: (-row.jobs, row.value)):
        facets[facet][value] = jobs
    return total, facets


def _counts(data: JobSearch) -> CompoundSelect:
    """Rows of (facet, value, jobs); the total has no facet. One pass over the jobs gathers the
    few combinations of choices that occur, and only those are summed up several times."""
    groups = (
        select(*CHOICES.values(), func.count().label("jobs"))
        .where(*common(data))
        .group_by(*CHOICES.values())
        .cte("groups")
    )
    return union_all(_total(groups, data), *(_facet(groups, data, name) for name in CHOICES))


def _total(groups: CTE, data: JobSearch) -> Select:
    jobs = cast(func.coalesce(func.sum(groups.c.jobs), 0), BigInteger)
    nothing = cast(null(), Text)
    return select(nothing.label("facet"), nothing.label("value"), jobs.label("jobs")).where(
        *chosen(data, dict(groups.c)).values()
    )


def _facet(groups: CTE, data: JobSearch, name: str) -> Select:
    others = [condition for own, condition in chosen(data, dict(groups.c)).items() if own != name]
    value, jobs = groups.c[name], cast(func.sum(groups.c.jobs), BigInteger)
    return (
        select(cast(literal(name), Text), type_coerce(value, Text), jobs)
        .where(value.is_not(None), *others)
        .group_by(value)
    )
