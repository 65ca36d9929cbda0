"""The order of sort=salary: in groups, one after the other.

First the jobs whose pay is known in euros, the best paid first; then those in currencies without an
exchange rate, each currency by itself; then all others, the newest first.

Few jobs are read and sorted. Where many are found, some are among the best paid of the board: these
are looked at one by one, as an index has them, until there are enough. What they leave open a walk
finds, which asks for one step of pay (`filters.euros_kind`) after the other, from the highest down;
when it is late it begins no further one, as the walk through time does (`walk.py`).
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
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
    or_,
    select,
    text,
    true,
    tuple_,
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

OTHERS, ALONE, COMPARED = GROUPS = ("others", "alone", "compared")  # the last first
TRIED = 5_000  # of the best paid, that are looked at one by one

IN_EUROS = text("SELECT max(euros) AS most, min(euros) AS least FROM live_jobs")
# The currencies of live jobs that have no rate, from Z to A: a few looks into an index for each.
WITHOUT_RATE = text(
    """
WITH RECURSIVE alone AS (
    SELECT currency, pay FROM live_jobs
     WHERE euros IS NULL AND currency IS NOT NULL AND pay IS NOT NULL),
found (currency) AS (
    SELECT max(currency) FROM alone
    UNION ALL
    SELECT (SELECT max(currency) FROM alone WHERE currency < found.currency)
      FROM found WHERE found.currency IS NOT NULL)
SELECT currency,
       (SELECT max(pay) FROM alone WHERE currency = found.currency) AS most,
       (SELECT min(pay) FROM alone WHERE currency = found.currency) AS least
  FROM found WHERE currency IS NOT NULL
"""
)

# The rows of a statement for (id, key, ...), in the order of these of its columns, highest first.
Ask = Callable[[Select, Sequence[str]], Awaitable[Sequence[Row[Any]]]]
Placed = tuple[Row[Any], str]  # and what a cursor calls the group of the job


class Begun(NamedTuple):
    """Where a page begins: in a group, below a job or at a step of pay."""

    group: str = COMPARED
    currency: str = ""
    step: int | None = None
    after: Mark | None = None


async def find(
    session: AsyncSession,
    ask: Ask,
    data: JobSearch,
    after: Mark | None,
    first: tuple[UUID, ...],
    expected: Expected,
    *,
    few: bool,
) -> tuple[list[Placed], Mark | None]:
    """The best paid below a mark, one more than asked for where there are more, and where a walk
    had to stop, if it had to. `few` are found, as was counted."""
    begun = _begun(after)
    if few and begun.step is None:
        found = await ask(_few(data, expected, begun, first), ("grade", "coin", "key"))
        return [(row, f"{GROUPS[row.grade]} {row.coin}".strip()) for row in found], None
    search = _Search(session, ask, data, expected, first)
    parts = {COMPARED: search.compared, ALONE: search.alone, OTHERS: search.others}
    rows: list[Placed] = []
    for group, part in parts.items():
        if GROUPS.index(group) <= GROUPS.index(begun.group):
            found, stop = await part(begun if group == begun.group else Begun(group))
            rows += found
            if stop or len(rows) > data.limit:
                return rows[: data.limit + 1], stop if len(rows) <= data.limit else None
    return rows, None


def _begun(after: Mark | None) -> Begun:
    if after is None:
        return Begun()
    group, *words = after.group.split()
    currency = next((word for word in words if word.isalpha()), "")
    step = next((int(word) for word in words if not word.isalpha()), None)
    return Begun(group, currency, step, after if step is None else None)


def _few(data: JobSearch, expected: Expected, begun: Begun, first: Collection[UUID]) -> Select:
    """A page of all groups at once; in each row which of GROUPS it is (grade), and of those alone
    the currency (coin)."""
    readable, compared = filters.READABLE, LiveJob.euros.is_not(None)
    key = case((~readable, 0), (compared, LiveJob.euros), else_=filters.PAY)
    some = (
        select(
            LiveJob.id,
            case((~readable, 0), (compared, 2), else_=1).label("grade"),
            case((and_(readable, ~compared), LiveJob.currency), else_="").label("coin"),
            cast(key, BigInteger).label("key"),
            LiveJob.published_at.label("at"),
        )
        .where(*expected.conditions(data), *unless(first))
        .offset(0)  # first found, then sorted: else an index would be read in that order
        .subquery("some")
    )
    by = (some.c.grade, some.c.coin, some.c.key, some.c["at"], some.c.id)
    page = select(some.c.id, some.c.grade, some.c.coin, some.c.key).limit(data.limit + 1)
    if after := begun.after:
        mark = (GROUPS.index(begun.group), begun.currency, *_mark(after))
        page = page.where(tuple_(*by) < mark)
    return page.order_by(*(column.desc() for column in by))


class _Search(NamedTuple):
    """One search, group by group; each gives what it has from where a page begins in it."""

    session: AsyncSession
    ask: Ask
    data: JobSearch
    expected: Expected
    first: tuple[UUID, ...]

    async def compared(self, begun: Begun) -> tuple[list[Placed], Mark | None]:
        tried = await self.ask(_tried(self.data, self._paid(one_by_one=True), begun), ["key"])
        rows = [(row, COMPARED) for row in tried]
        if len(rows) > self.data.limit:
            return rows, None
        if rows:
            begun = Begun(after=_last(rows[-1][0]))
        most, least = (await self.session.execute(IN_EUROS)).one()
        steps = _steps(begun.step, begun.after, most, least, filters.STEPS_IN_EUROS)
        kinds = {f"{COMPARED} {step}": filters.euros_kind(step) for step in steps}
        conditions = [*self._paid(), *_below(LiveJob, begun)]
        found = await self.ask(_walk(self.data, conditions, _by_euros(LiveJob), kinds), ["key"])
        rows += [(row, COMPARED) for row in found if row.id is not None]
        return rows, _stop(found, kinds, self.first)

    async def alone(self, begun: Begun) -> tuple[list[Placed], Mark | None]:
        kinds: dict[str, str] = {}
        for currency, most, least in await self.session.execute(WITHOUT_RATE):
            if not begun.currency or currency < begun.currency:
                steps = _steps(None, None, most, least, filters.STEPS)
            elif currency == begun.currency:
                steps = _steps(begun.step, begun.after, most, least, filters.STEPS)
            else:
                continue
            kinds |= {f"{ALONE} {currency} {n}": filters.pay_kind(currency, n) for n in steps}
        if not kinds:
            return [], None
        by = (LiveJob.currency, filters.PAY, LiveJob.published_at, LiveJob.id)
        below = [tuple_(*by) < (begun.currency, *_mark(begun.after))] if begun.after else []
        conditions = [*self._paid(), *filters.NO_RATE, *below]
        found = await self.ask(_walk(self.data, conditions, by, kinds), ["coin", "key"])
        rows = [(row, f"{ALONE} {row.coin}") for row in found if row.id is not None]
        return rows, _stop(found, kinds, self.first)

    async def others(self, begun: Begun) -> tuple[list[Placed], Mark | None]:
        """Without pay, the newest first; none where these are not wanted."""
        if self.data.undisclosed_pay is UndisclosedPay.EXCLUDE:
            return [], None
        unpaid = [*self.expected.conditions(self.data), *unless(self.first), filters.UNPAID]
        found = await self.ask(newest_of(self.data, unpaid, begun.after, self.expected), ["key"])
        until = max((row.until for row in found if row.until is not None), default=None)
        stop = None if until is None else going_on(until, None, self.first, OTHERS)
        return [(row, OTHERS) for row in found if row.id is not None], stop

    def _paid(self, *, one_by_one: bool = False) -> list[Condition]:
        """What is found of known pay; `one_by_one`, no index tells."""
        paid = self.data.asking(undisclosed_pay=UndisclosedPay.EXCLUDE)
        told = (
            filters.everything(paid, in_rows=True) if one_by_one else self.expected.conditions(paid)
        )
        return [*told, *unless(self.first)]


def _steps(
    begun: int | None, after: Mark | None, most: int | None, least: int | None, number: int
) -> range:
    """The steps of pay from where a page begins, or one above, down to the lowest that there is."""
    if most is None or least is None:
        return range(0)
    highest = filters.step_below(most) + 2
    if after is not None:
        highest = min(highest, filters.step_below(int(after.key or 0)) + 2)
    if begun is not None:
        highest = min(highest, begun)
    return range(min(highest, number - 1), filters.step_below(least) - 1, -1)


def _stop(
    found: Sequence[Row[Any]], kinds: Mapping[str, str], first: tuple[UUID, ...]
) -> Mark | None:
    """Where a walk through these steps goes on that had to stop."""
    place = min((row.until for row in found if row.until is not None), default=None)
    return place and Mark(None, BEGINNING, UUID(int=0), list(kinds)[place - 1], first)


def _last(row: Row[Any]) -> Mark:
    return Mark(row.key, row.published_at, row.id)


def _mark(after: Mark) -> tuple[Any, ...]:
    return after.key or 0, after.published_at, after.id


def _by_euros(jobs: Any) -> tuple[Any, ...]:
    return jobs.euros, jobs.published_at, jobs.id


def _below(jobs: Any, begun: Begun) -> list[Condition]:
    """Of the jobs with euros those that come after a mark, or from a step on."""
    known = [jobs.euros.is_not(None)]
    if begun.after is not None:
        return [*known, tuple_(*_by_euros(jobs)) < _mark(begun.after)]
    if begun.step is None:
        return known
    step = min(begun.step, filters.STEPS_IN_EUROS)
    end = int(2 ** (step / 2 + 1))  # above that of the step, for an index
    return [*known, jobs.euros < end, func.jobboard_step(jobs.euros) <= step]


def _tried(data: JobSearch, conditions: list[Condition], begun: Begun) -> Select:
    """The best paid of the TRIED best paid jobs, or of fewer, when it is late."""
    jobs = aliased(LiveJob)
    order = [column.desc() for column in _by_euros(jobs)]
    top = select(*_by_euros(jobs)).where(*_below(jobs, begun)).order_by(*order).limit(TRIED)
    top = top.subquery("top")
    fits = select(LiveJob.id).where(LiveJob.id == top.c.id, ~walk.late(), *conditions)
    fits = fits.offset(0).correlate(top).lateral("fits")
    return (
        select(top.c.id, top.c.euros.label("key"))
        .select_from(top.join(fits, true()))
        .order_by(top.c.euros.desc(), top.c.published_at.desc(), top.c.id.desc())
        .limit(data.limit + 1)
    )


def _walk(
    data: JobSearch, conditions: list[Condition], by: Sequence[Any], kinds: Mapping[str, str]
) -> Select:
    """The best paid of what has one of these kinds, which are steps of pay, the highest first."""
    step = func.unnest(bindparam("steps", list(kinds.values()), ARRAY(Text)))
    step = step.table_valued("kind", with_ordinality="place", name="step").render_derived()
    stops = and_(step.c.place > walk.SURE, walk.late())
    # Asked once for each step, when its turn comes: a volatile column stays where it stands.
    timed = select(step.c.kind, case((stops, step.c.place)).label("until")).subquery("timed")
    some = (
        select(LiveJob.id, *(column.label(f"by_{n}") for n, column in enumerate(by)))
        .where(LiveJob.kinds.contains(array([timed.c.kind])), timed.c.until.is_(None), *conditions)
        .offset(0)  # first found, then sorted: else an index would be read in that order
        .correlate(timed)
        .lateral("some")
    )
    order = [some.c[f"by_{n}"] for n in range(len(by))]
    shown = [some.c.id, order[-3].label("key"), order[0].label("coin")]
    hit = select(*shown).order_by(*(column.desc() for column in order))
    found = hit.limit(data.limit + 1).lateral("hit")
    return (
        select(*found.c, timed.c.until)
        .select_from(timed.outerjoin(found, true()))
        .where(or_(found.c.id.is_not(None), timed.c.until.is_not(None)))
        .limit(data.limit + 1)
    )
