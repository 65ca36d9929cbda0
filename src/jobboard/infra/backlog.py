"""How the queue does: what waits, for how long, what failed; now, and over the last days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.infra.queue import Message

OPEN = and_(Message.done_at.is_(None), Message.failed_at.is_(None))
ORIGIN = datetime.fromisoformat("2001-01-01T00:00:00+00:00")  # where buckets of date_bin begin


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages now. `waiting` are due, `postponed` are for later, `under_way` a worker has."""

    waiting: int
    postponed: int
    under_way: int
    failed: int
    oldest_at: datetime | None  # when the oldest of those that wait was written

    @property
    def oldest_seconds(self) -> float:
        """Its age; 0 where nothing waits."""
        return max((now() - self.oldest_at).total_seconds(), 0.0) if self.oldest_at else 0.0


async def backlog(session: AsyncSession) -> Backlog:
    """One look at two small indexes, however many messages are done."""
    moment = now()
    due = Message.available_at <= moment
    held = and_(Message.claimed_at.is_not(None), ~due)
    counts = select(
        func.count().filter(due),
        func.count().filter(~due, Message.claimed_at.is_(None)),
        func.count().filter(held),
        func.min(Message.created_at).filter(due),
    ).where(OPEN)
    waiting, postponed, under_way, oldest = (await session.execute(counts)).one()
    failed = select(func.count()).where(Message.failed_at.is_not(None))
    return Backlog(waiting, postponed, under_way, await session.scalar(failed) or 0, oldest)


@dataclass(frozen=True, slots=True)
class Moment:
    """One piece of time: what ended in it, how long that took (seconds), what waited at its end."""

    at: datetime
    done: int = 0
    retried: int = 0  # of those done, after more than one try
    failed: int = 0
    waiting: int = 0
    half_within: float | None = None
    most_within: float | None = None  # 95 %


async def history(session: AsyncSession, length: timedelta, pieces: int) -> list[Moment]:
    """The last `pieces` of time, the last one still going on. Read from the messages themselves,
    which are kept for a week after they are done."""
    last = ORIGIN + (now() - ORIGIN) // length * length
    starts = [last - length * back for back in reversed(range(pieces))]
    ended = {row.at: row for row in await session.execute(_ended(length, starts[0]))}
    came = await session.execute(_came(length, starts[0]))
    arrivals = {row.at: row.number for row in came}
    return list(_moments(starts, ended, arrivals))


def _moments(
    starts: Sequence[datetime], ended: dict[datetime, Row[Any]], arrivals: dict[Any, int]
) -> Any:
    waiting = arrivals.get(None, 0)  # those that came before and were open at the start
    for at in starts:
        row = ended.get(at)
        done, failed = (row.done, row.failed) if row else (0, 0)
        waiting += arrivals.get(at, 0) - done - failed
        seconds = (row.half, row.most) if row else (None, None)
        yield Moment(at, done, row.retried if row else 0, failed, max(waiting, 0), *seconds)


def _end() -> Any:
    return func.coalesce(Message.done_at, Message.failed_at)


def _ended(length: timedelta, since: datetime) -> Any:
    """What ended in each piece of time."""
    at = func.date_bin(length, _end(), ORIGIN).label("at")
    took = func.greatest(func.extract("epoch", Message.done_at - Message.created_at), 0)
    return (
        select(
            at,
            func.count(Message.done_at).label("done"),
            func.count(Message.done_at).filter(Message.attempts > 1).label("retried"),
            func.count(Message.failed_at).label("failed"),
            func.percentile_cont(0.5).within_group(took).label("half"),
            func.percentile_cont(0.95).within_group(took).label("most"),
        )
        .where(or_(Message.done_at >= since, Message.failed_at >= since))
        .group_by(at)
    )


def _came(length: timedelta, since: datetime) -> Any:
    """What came in each piece of time; under None what came before and was still open then."""
    bucket = func.date_bin(length, Message.created_at, ORIGIN)
    at = case((Message.created_at >= since, bucket)).label("at")
    return (
        select(at, func.count().label("number"))
        .where(or_(OPEN, Message.done_at >= since, Message.failed_at >= since))
        .group_by(at)
    )
