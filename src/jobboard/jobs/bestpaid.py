"""The order of sort=salary: in groups, one after the other.

First the jobs whose pay is known in euros, the best paid first; then those in currencies without an
exchange rate, each currency by itself; then all others, the newest first.

Where many are found, some are among the best paid of the board: these are looked at one by one, as
an index has them. Where few are, that would lead through all jobs. So, unless those were enough, a
walk asks for one step of pay (`filters.euros_kind`) after the other, from the highest down; when it
is late it begins no further one, as the walk through time does (`walk.py`).
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    null,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.jobs import filters, walk
from jobboard.jobs.asked import Condition
from jobboard.jobs.criteria import JobSearch, UndisclosedPay
from jobboard.jobs.estimates import Expected
from jobboard.jobs.live import LiveJob
from jobboard.jobs.orders import BEGINNING, Mark, going_on, newest_of, unless

COMPARED, ALONE, OTHERS = "compared", "alone", "others"
TRIED = 5_000  # of the best paid, that are looked at one by one
SURE = 3  # steps that are looked at however late it is; the first may lie above what is asked

# The currencies of live jobs that have no rate, from Z to A: one look into an index for each.
WITHOUT_RATE = text(
    """
WITH RECURSIVE found (currency) AS (
    SELECT max(currency) FROM live_jobs
     WHERE euros IS NULL AND currency IS NOT NULL AND pay IS NOT NULL
    UNION ALL
    SELECT (SELECT max(currency) FROM live_jobs
             WHERE euros IS NULL AND currency IS NOT NULL AND pay IS NOT NULL
               AND currency < found.currency)
      FROM found WHERE found.currency IS NOT NULL)
SELECT currency FROM found WHERE currency IS NOT NULL
"""
)


class Begun(NamedTuple):
    """Where a page begins: in a group, of which the cursor names a job, or only a step of pay."""

    group: str = COMPARED
    currency: str = ""
    step: int | None = None
    after: Mark | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A statement for (id, key, until) of at most `limit` jobs of a group and one more, which tells
    that there is more. `until` is where a walk had to stop: the place of a step, or a moment."""

    group: str
    page: Select
    steps: Sequence[str] = ()  # as cursors name them

    def named(self, currency: str | None) -> str:
        """What a cursor calls the group of a job."""
        return f"{ALONE} {currency}" if self.group == ALONE else self.group

    def stop(self, found: Sequence[Row[Any]], first: tuple[UUID, ...]) -> Mark | None:
        """Where a walk goes on that had to stop."""
        until = [row.until for row in found if row.until is not None]
        if not until:
            return None
        if self.group == OTHERS:
            return going_on(max(until), None, first, OTHERS)
        return Mark(None, BEGINNING, UUID(int=0), self.steps[min(until) - 1], first)


async def parts(
    session: AsyncSession,
    data: JobSearch,
    after: Mark | None,
    first: Collection[UUID],
    expected: Expected,
    *,
    many: bool,
) -> AsyncIterator[Part]:
    """What is to be asked below a mark, one after the other until there are enough. `many`: more
    are found than were counted."""
    begun = _begun(after)
    disclosed = data.asking(undisclosed_pay=UndisclosedPay.EXCLUDE)
    paid = [*expected.conditions(disclosed), *unless(first)]
    if begun.group == COMPARED:
        one_by_one = [*filters.everything(disclosed, in_rows=True), *unless(first)]
        yield _compared(data, paid, one_by_one if many else None, begun)
    if begun.group != OTHERS:
        currencies = list(await session.scalars(WITHOUT_RATE))
        if steps := _own_steps(currencies, begun if begun.group == ALONE else Begun(ALONE)):
            yield _alone(data, paid, steps, begun.after if begun.group == ALONE else None)
    if data.undisclosed_pay is UndisclosedPay.INCLUDE:
        others = [*expected.conditions(data), *unless(first), filters.UNPAID]
        mark = begun.after if begun.group == OTHERS else None
        yield Part(OTHERS, newest_of(data, others, mark, expected))


def _begun(after: Mark | None) -> Begun:
    if after is None:
        return Begun()
    group, *words = after.group.split()
    steps = [int(word) for word in words if word.isdigit()]
    currency = next((word for word in words if word.isalpha()), "")
    return Begun(group, currency, steps[0], None) if steps else Begun(group, currency, None, after)


def _highest(begun: Begun, steps: int) -> int:
    """The step in which a page begins, or the one above."""
    step = begun.step
    if begun.after is not None:
        step = filters.step_below(int(begun.after.key or 0)) + 2
    return steps - 1 if step is None else min(step, steps - 1)


def _compared(
    data: JobSearch, conditions: list[Condition], one_by_one: list[Condition] | None, begun: Begun
) -> Part:
    """Of the conditions `one_by_one` no index tells."""
    steps = range(_highest(begun, filters.STEPS_IN_EUROS), -1, -1)
    kinds = {f"{COMPARED} {step}": filters.euros_kind(step) for step in steps}
    below = _below(LiveJob, begun.after)
    walked = _walk(data, [*conditions, *below], _by_euros(LiveJob), list(kinds.values()))
    if one_by_one is None or begun.step is not None:
        return Part(COMPARED, walked, list(kinds))
    tried = _tried(data, one_by_one, begun.after).cte("tried").prefix_with("MATERIALIZED")
    enough = select(func.count()).select_from(tried).scalar_subquery() > data.limit
    no_until = cast(null(), BigInteger).label("until")
    walked = walked.subquery("walked")
    either = union_all(
        select(tried.c.id, tried.c.key, no_until).where(enough), select(walked).where(~enough)
    )
    return Part(COMPARED, select(either.subquery("either")), list(kinds))


def _alone(
    data: JobSearch, conditions: list[Condition], kinds: Mapping[str, str], after: Mark | None
) -> Part:
    by = (LiveJob.currency, filters.PAY, LiveJob.published_at, LiveJob.id)
    below = [tuple_(*by) < (after.group.split()[1], *_mark(after))] if after else []
    page = _walk(data, [*conditions, *filters.NO_RATE, *below], by, list(kinds.values()))
    return Part(ALONE, page, list(kinds))


def _own_steps(currencies: Sequence[str], begun: Begun) -> dict[str, str]:
    """The steps of pay in these currencies from where a page begins, by their names in cursors."""
    return {
        f"{ALONE} {currency} {step}": filters.pay_kind(currency, step)
        for currency in currencies
        if not begun.currency or currency <= begun.currency
        for step in range(
            _highest(begun if currency == begun.currency else Begun(ALONE), filters.STEPS), -1, -1
        )
    }


def _by_euros(jobs: Any) -> tuple[Any, ...]:
    return jobs.euros, jobs.published_at, jobs.id


def _below(jobs: Any, after: Mark | None) -> list[Condition]:
    known = [jobs.euros.is_not(None)]
    return [*known, tuple_(*_by_euros(jobs)) < _mark(after)] if after else known


def _mark(after: Mark) -> tuple[Any, ...]:
    return after.key, after.published_at, after.id


def _tried(data: JobSearch, conditions: list[Condition], after: Mark | None) -> Select:
    """The best paid of the TRIED best paid jobs below a mark."""
    others = aliased(LiveJob)
    lowest = (
        select(*_by_euros(others))
        .where(*_below(others, after))
        .order_by(*(column.desc() for column in _by_euros(others)))
        .offset(TRIED - 1)
        .limit(1)
    )
    by = _by_euros(LiveJob)
    return (
        select(LiveJob.id, LiveJob.euros.label("key"))
        .where(tuple_(*by) >= lowest.scalar_subquery(), *_below(LiveJob, after), *conditions)
        .order_by(*(column.desc() for column in by))
        .limit(data.limit + 1)
    )


def _walk(
    data: JobSearch, conditions: list[Condition], by: tuple[Any, ...], kinds: list[str]
) -> Select:
    """The best paid of what has one of these kinds, which are steps of pay, the highest first."""
    step = func.unnest(bindparam("steps", kinds, ARRAY(Text)))
    step = step.table_valued("kind", with_ordinality="place", name="step").render_derived()
    stops = and_(step.c.place > SURE, walk.late())
    # Asked once for each step, when its turn comes: a volatile column stays where it stands.
    timed = select(step.c.kind, case((stops, step.c.place)).label("until")).subquery("timed")
    some = (
        select(LiveJob.id, *(column.label(f"by_{n}") for n, column in enumerate(by)))
        .where(LiveJob.kinds.contains(array([timed.c.kind])), timed.c.until.is_(None), *conditions)
        .offset(0)  # first found, then sorted: else the order would be read from an index
        .correlate(timed)
        .lateral("some")
    )
    order = [some.c[f"by_{n}"] for n in range(len(by))]
    key = order[-3].label("key")
    hit = select(some.c.id, key).order_by(*(column.desc() for column in order))
    found = hit.limit(data.limit + 1).lateral("hit")
    return (
        select(found.c.id, found.c.key, timed.c.until)
        .select_from(timed.outerjoin(found, true()))
        .where(or_(found.c.id.is_not(None), timed.c.until.is_not(None)))
        .limit(data.limit + 1)
    )
