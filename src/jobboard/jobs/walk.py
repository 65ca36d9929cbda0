"""Reads the newest of what a search finds, without looking at all the rest.

A common word stands in hundreds of thousands of jobs, of which a page shows twenty. The index has
for each word a list of jobs, and one for each span of time (LiveJob.times). Where both are asked at
once, PostgreSQL skips to the part that they share: a walk asks for the newest span, then for the
one before it, each up to twice as long as all before, until it has enough. So it reads a few more
than it gives, however many jobs there are; a rare word costs as many looks as there are spans.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.clock import now
from jobboard.jobs.live import LiveJob

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # what was posted before lies in the first span
LEVELS = (*range(9, 26), 28, 34)  # spans of 2 ** 9 seconds (nine minutes) to more than all time
PATIENCE = 80  # ms, after which no further span is begun
SURE = 3  # spans that are looked at however late it is; the first may lie above what is asked
USUAL_SPAN = 60 * 86_400  # seconds in which the jobs of a board were posted, roughly
FEW = 2_000  # jobs, that are looked at all at once
FIRST = 600  # jobs, roughly, in the first span
RECENT = 1_000  # jobs that tell how busy the last hours were


def spans(jobs: float, newest: datetime, oldest: datetime | None = None) -> list[int]:
    """The keys of spans that hold all moments from `newest` back to `oldest`, the newest first.

    `jobs` is about how many there are: with less, the first span is longer, and few need none.
    """
    if jobs <= FEW:
        return []
    first = _first_level(jobs)
    # A second more: where `jobboard_times` (a migration) makes whole seconds, it rounds.
    end = (((_seconds(newest) + 1) >> first) + 1) << first
    return list(_back(end, first, _seconds(oldest) if oldest else 0))


def soon() -> datetime:
    """After all that was posted: clocks differ, and a job may be posted a little ahead of ours."""
    return now() + timedelta(minutes=5)


def as_busy(found: float, jobs: float, recent: float) -> float:
    """How many a search that finds `found` of so many `jobs` would find in USUAL_SPAN, were all of
    it as busy as the time in which its first span should end.

    Boards are busier lately than long ago, since old jobs are closed. `recent` is in how many
    seconds the newest RECENT were posted; from there to USUAL_SPAN the number of jobs is taken to
    grow as a power of their age.
    """
    if found <= FEW or recent <= 0 or jobs <= RECENT:
        return found
    place = FIRST * jobs / found / RECENT  # of the last job of the first span, in RECENT
    power = math.log(max(USUAL_SPAN / recent, 1)) / math.log(jobs / RECENT)
    age = recent * (place**power if place > 1 else place)
    return max(USUAL_SPAN * FIRST / max(age, 1), FEW + 1)


def _back(end: int, level: int, oldest: int) -> Iterator[int]:
    position = end
    while position > oldest:
        most = max(end - position, 1 << level)
        level = max(each for each in LEVELS if position % (1 << each) == 0 and 1 << each <= most)
        position -= 1 << level
        yield (position >> level) * 64 + level


def _first_level(jobs: float) -> int:
    wanted = USUAL_SPAN * FIRST / max(jobs, 1)
    return next((each for each in LEVELS if 1 << each >= wanted), LEVELS[-1])


def _seconds(moment: datetime) -> int:
    return max(int((moment - EPOCH).total_seconds()), 0)


def newest(
    columns: Sequence[InstrumentedAttribute[Any] | ColumnElement[Any]],
    conditions: Sequence[ColumnElement[bool]],
    keys: Sequence[int],
    limit: int,
    *,
    named: str = "spans",
) -> Select:
    """The newest `limit` rows of LiveJob that fulfil the conditions, in spans of these keys, which
    are a parameter of that name.

    Fewer, where PATIENCE ended: `late()` tells. Without keys: of all times, in one look.
    """
    if not keys:
        return _at_once(columns, conditions, limit)
    span = _span(keys, named)
    hit = _hit(columns, conditions, span, limit)
    # Said of the span, so that it is asked before a span is looked at.
    in_time = or_(~late(), span.c.key.is_(None))
    return select(hit).select_from(span.join(hit, true())).where(in_time).limit(limit)


def newest_until(
    columns: Sequence[InstrumentedAttribute[Any] | ColumnElement[Any]],
    conditions: Sequence[ColumnElement[bool]],
    keys: Sequence[int],
    limit: int,
    *,
    may_stop: bool = True,
) -> Select:
    """The same, which can be gone on with: where PATIENCE ended before there were `limit`, rows
    without an `id` follow, and the highest `until` of them is the edge (`edge_of`) down to which
    all were found. The first spans are always looked at, so that each walk gets on; all of them
    where it may not stop.
    """
    if not keys:
        return _at_once([*columns, cast(null(), BigInteger).label("until")], conditions, limit)
    span = _span(keys, "spans")
    upper = (span.c.key.op(">>")(6) + 1).op("<<")(cast(span.c.key.op("&")(63), Integer))
    stops = and_(span.c.place > SURE, late()) if may_stop else false()
    # Asked once for each span, when its turn comes: a volatile column stays where it stands.
    timed = select(span.c.key, case((stops, upper)).label("until")).subquery("timed")
    hit = _hit(columns, [*conditions, timed.c.until.is_(None)], timed, limit)
    return (
        select(hit, timed.c.until)
        .select_from(timed.outerjoin(hit, true()))
        .where(or_(hit.c.id.is_not(None), timed.c.until.is_not(None)))
        .limit(limit)
    )


def edge_of(until: int) -> datetime:
    """Down to which moment a walk has found everything, itself included: what comes within half a
    second before a span is rounded into it."""
    return EPOCH + timedelta(seconds=until - 0.5)


def _span(keys: Sequence[int], named: str) -> Any:
    span = func.unnest(bindparam(named, list(keys), ARRAY(BigInteger)))
    return span.table_valued("key", with_ordinality="place", name="span").render_derived()


def _at_once(columns: Sequence[Any], conditions: Sequence[ColumnElement[bool]], limit: int) -> Any:
    order = (LiveJob.published_at.desc(), LiveJob.id.desc())
    return select(*columns).where(*conditions).order_by(*order).limit(limit)


def _hit(
    columns: Sequence[Any], conditions: Sequence[ColumnElement[bool]], span: Any, limit: int
) -> Any:
    hit = _at_once(columns, [LiveJob.times.contains(array([span.c.key])), *conditions], limit)
    return hit.lateral("hit")


def late() -> ColumnElement[bool]:
    """Whether a walk of this statement has to end."""
    patience = literal_column(f"interval '{PATIENCE} ms'")
    return func.clock_timestamp() > func.statement_timestamp() + patience
