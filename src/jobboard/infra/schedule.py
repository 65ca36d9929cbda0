"""What is due by the clock, each due time once: a row for each piece of work decides.

Whoever ticks, two schedulers at once or none for a night: a due time is claimed by an UPDATE, and
those that were missed fold into one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.clock import now
from jobboard.infra.postgres import Base

EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday
LEASE = timedelta(minutes=10)  # what a run may take before another worker believes it dead
FIRST_PAUSE = timedelta(seconds=30)  # after a failure; it doubles, up to the time between two runs


class Schedule(Base):
    """One piece of work: when it is due next, and how it went. `running_until` is a lease, or,
    after a failure, the pause before the next try."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    running_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))  # since it last went well
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Every:
    """So often, counted from Monday 00:00 UTC and `after`."""

    length: timedelta
    after: timedelta = timedelta()

    def following(self, moment: datetime) -> datetime:
        """The first due time after `moment`."""
        start = EPOCH + self.after
        return start + ((moment - start) // self.length + 1) * self.length


async def know(session: AsyncSession, works: dict[str, Every]) -> None:
    """Make the rows of work that is new here. It is due at its next time, not at once."""
    moment = now()
    rows = [{"name": name, "due_at": every.following(moment)} for name, every in works.items()]
    await session.execute(insert(Schedule).values(rows).on_conflict_do_nothing())


async def due(session: AsyncSession) -> list[str]:
    """What somebody should do now, longest overdue first."""
    names = select(Schedule.name).where(*_free()).order_by(Schedule.due_at)
    return list(await session.scalars(names))


def _free() -> tuple:
    moment = now()
    return (
        Schedule.due_at <= moment,
        or_(Schedule.running_until.is_(None), Schedule.running_until <= moment),
    )


async def claim(session: AsyncSession, name: str) -> Schedule | None:
    """Take a due time; None where another was quicker."""
    moment = now()
    return await session.scalar(
        update(Schedule)
        .where(Schedule.name == name, *_free())
        .values(started_at=moment, running_until=moment + LEASE)
        .returning(Schedule)
    )


async def finish(
    session: AsyncSession, taken: Schedule, every: Every, error: str | None = None
) -> bool:
    """Note how it went, unless the lease ran out and another has it by now: False."""
    moment = now()
    if error is None:
        values = {
            "due_at": every.following(moment),
            "running_until": None,
            "done_at": moment,
            "failures": 0,
            "last_error": None,
        }
    else:
        pause = min(every.length, FIRST_PAUSE * 2 ** min(taken.failures, 20))
        values = {
            "running_until": moment + pause,
            "failures": Schedule.failures + 1,
            "last_error": error,
        }
    mine = await session.scalar(
        update(Schedule)
        .where(Schedule.name == taken.name, Schedule.started_at == taken.started_at)
        .values(values)
        .returning(Schedule.name)
    )
    return mine is not None
