"""Reads the newest of what a search finds, without looking at all the rest.

A common word stands in hundreds of thousands of jobs, of which a page shows twenty. The index has
for each word a list of jobs, and one for each span of time (LiveJob.times). Where both are asked at
once, PostgreSQL skips to the part that they share: a walk asks for the newest span, then for the
one before it, each up to twice as long as all before, until it has enough. So it reads a few more
than it gives, however many jobs there are; a rare word costs as many looks as there are spans.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import InstrumentedAttribute

from jobboard.jobs.live import LiveJob

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # what was posted before lies in the first span
LEVELS = (*range(9, 26), 28, 34)  # spans of 2 ** 9 seconds (nine minutes) to more than all time
PATIENCE = 80  # ms, after which no further span is begun
USUAL_SPAN = 60 * 86_400  # seconds in which the jobs of a board were posted, roughly
FEW = 2_000  # jobs, that are looked at all at once
FIRST = 300  # jobs, roughly, in the first span: most were posted in the last days


def spans(jobs: float, newest: datetime, oldest: datetime | None = None) -> list[int]:
    """The keys of spans that hold all moments from `newest` back to `oldest`, the newest first.

    `jobs` is about how many there are: with less, the first span is longer, and few need none.
    """
    if jobs <= FEW:
        return []
    first = _first_level(jobs)
    # One span more: clocks differ, and a job may be posted a little ahead of ours.
    end = ((_seconds(newest) >> first) + 2) << first
    return list(_back(end, first, _seconds(oldest) if oldest else 0))


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
) -> Select:
    """The newest `limit` rows of LiveJob that fulfil the conditions, in spans of these keys.

    Fewer, where PATIENCE ended: `late()` tells. Without keys: of all times, in one look.
    """
    if not keys:
        order = (LiveJob.published_at.desc(), LiveJob.id.desc())
        return select(*columns).where(*conditions).order_by(*order).limit(limit)
    span = func.unnest(bindparam("spans", list(keys), ARRAY(BigInteger)))
    span = span.table_valued("key", name="span").render_derived()
    hit = (
        select(*columns)
        .where(LiveJob.times.contains(array([span.c.key])), *conditions)
        .order_by(LiveJob.published_at.desc(), LiveJob.id.desc())
        .limit(limit)
        .lateral("hit")
    )
    # Said of the span, so that it is asked before a span is looked at.
    in_time = or_(~late(), span.c.key.is_(None))
    return select(hit).select_from(span.join(hit, true())).where(in_time).limit(limit)


def late() -> ColumnElement[bool]:
    """Whether a walk of this statement has to end."""
    patience = literal_column(f"interval '{PATIENCE} ms'")
    return func.clock_timestamp() > func.statement_timestamp() + patience
