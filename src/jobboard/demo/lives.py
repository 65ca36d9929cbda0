"""What became of each demo job: which steps it took, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobboard.jobs.lifecycle import Party, Step, require
from jobboard.jobs.models import JobStatus

# The steps to each status; every one is checked against the table of lifecycle.py.
STEPS: dict[JobStatus, tuple[tuple[Step, Party], ...]] = {
    JobStatus.DRAFT: (),
    JobStatus.PENDING: ((Step.SUBMIT, Party.MEMBER),),
    JobStatus.REJECTED: ((Step.SUBMIT, Party.MEMBER), (Step.REJECT, Party.ADMIN)),
    JobStatus.PUBLISHED: ((Step.SUBMIT, Party.MEMBER), (Step.APPROVE, Party.ADMIN)),
    JobStatus.CLOSED: (
        (Step.SUBMIT, Party.MEMBER),
        (Step.APPROVE, Party.ADMIN),
        (Step.CLOSE, Party.MEMBER),
    ),
    JobStatus.EXPIRED: (
        (Step.SUBMIT, Party.MEMBER),
        (Step.APPROVE, Party.ADMIN),
        (Step.EXPIRE, Party.CLOCK),
    ),
}
# The first jobs of the demo log-in, so that each of its lists has something in it.
OWN = (
    JobStatus.PUBLISHED,
    JobStatus.DRAFT,
    JobStatus.PENDING,
    JobStatus.REJECTED,
    JobStatus.CLOSED,
    JobStatus.PUBLISHED,
    JobStatus.EXPIRED,
    JobStatus.PENDING,
)
REASON = (
    "The text says what you offer, but not what the work is. Please add two or three sentences "
    "about the tasks and name the hours, then send it in again."
)
REVIEW = timedelta(hours=5)  # from sending in to the decision
LATEST_WAIT = timedelta(days=2)  # how long a pending job has waited at most
CLOSED_AFTER = 0.7  # of the time until now


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    step: Step
    party: Party
    status: JobStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class Life:
    """Where a job stands and how it came there."""

    status: JobStatus
    created_at: datetime
    taken: tuple[Taken, ...]
    expires_at: datetime | None

    def at(self, step: Step) -> datetime | None:
        """When this step was taken, if it was."""
        return next((taken.at for taken in self.taken if taken.step is step), None)

    @property
    def updated_at(self) -> datetime:
        """The last time that something happened."""
        return self.taken[-1].at if self.taken else self.created_at


def life(status: JobStatus, age: timedelta, present: datetime, days: int) -> Life:
    """The life of a job of this status that was posted `age` ago and is shown for `days`."""
    shown = timedelta(days=days)
    if status is JobStatus.PENDING:
        age %= LATEST_WAIT
    if status is JobStatus.EXPIRED:
        age += shown
    posted = present - age
    moments = {
        Step.SUBMIT: posted - REVIEW if status is not JobStatus.PENDING else posted,
        Step.APPROVE: posted,
        Step.REJECT: posted,
        Step.CLOSE: posted + age * CLOSED_AFTER,
        Step.EXPIRE: posted + shown,
    }
    taken = tuple(_walk(status, moments))
    approved = any(one.step is Step.APPROVE for one in taken)
    return Life(status, moments[Step.SUBMIT], taken, posted + shown if approved else None)


def _walk(status: JobStatus, moments: dict[Step, datetime]) -> Iterator[Taken]:
    current = JobStatus.DRAFT
    for step, party in STEPS[status]:
        current = require(step, current, party)
        yield Taken(step, party, current, moments[step])
