"""The order of sort=salary: in groups, one after the other.

First the jobs whose pay is known in euros, the best paid first; then those in currencies without an
exchange rate, each currency by itself; then all others, the newest first.
"""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, cast, null, select, true, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.jobs.asked import Condition
from jobboard.jobs.criteria import JobSearch, UndisclosedPay
from jobboard.jobs.estimates import Expected
from jobboard.jobs.filters import NO_RATE, PAY, UNPAID, enough
from jobboard.jobs.live import LiveJob
from jobboard.jobs.orders import Mark, newest_of, unless

COMPARED, ALONE, OTHERS = GROUPS = ("compared", "alone", "others")


def groups(
    data: JobSearch, after: Mark | None, first: Collection[UUID], expected: Expected
) -> Iterator[tuple[str, Select]]:
    """Each group below a mark by its name: (id, key) of at most `limit` jobs and one more, which
    tells that there is more."""
    disclosed = data.asking(undisclosed_pay=UndisclosedPay.EXCLUDE)
    paid = [*expected.conditions(disclosed), *unless(first)]
    begun = GROUPS.index(after.group.split()[0]) if after else 0
    for group in GROUPS[begun:]:
        if group == COMPARED:
            yield group, _compared(data, [*paid, LiveJob.euros.is_not(None)], after)
        elif group == ALONE:
            yield group, _best_paid(data, [*paid, *NO_RATE], [LiveJob.currency, PAY], after)
        elif data.undisclosed_pay is UndisclosedPay.INCLUDE:
            others = [*expected.conditions(data), *unless(first), UNPAID]
            yield group, newest_of(data, others, after, expected)
        after = None


def _compared(data: JobSearch, conditions: list[Condition], after: Mark | None) -> Select:
    """Each way to pay enough by itself, since each is a stretch of an index; then both together."""
    ways = [
        _best_paid(data, [*conditions, way], [LiveJob.euros], after)
        for way in enough(data) or [true()]
    ]
    if len(ways) == 1:
        return ways[0]
    either = union_all(*(select(way.subquery()) for way in ways)).subquery()
    order = (either.c.key.desc(), either.c.at.desc(), either.c.id.desc())
    return select(either).order_by(*order).limit(data.limit + 1)


def _best_paid(
    data: JobSearch,
    conditions: list[Condition],
    by: list[InstrumentedAttribute[Any]],
    after: Mark | None,
) -> Select:
    columns = (*by, LiveJob.published_at, LiveJob.id)
    until = cast(null(), BigInteger).label("until")
    statement = (
        select(LiveJob.id, by[-1].label("key"), LiveJob.published_at.label("at"), until)
        .where(*conditions)
        .order_by(*(column.desc() for column in columns))
        .limit(data.limit + 1)
    )
    if after is None:
        return statement
    currency = after.group.split()[1:]  # of those that are alone
    return statement.where(tuple_(*columns) < (*currency, after.key, after.published_at, after.id))


def named(group: str, currency: str | None) -> str:
    """What a cursor calls the group of a job, so that the next page knows where it begins."""
    return f"{ALONE} {currency}" if group == ALONE else group
