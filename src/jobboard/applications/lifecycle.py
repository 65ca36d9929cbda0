"""An application's life: who moves it from where to where. One table."""

from datetime import timedelta

from jobboard.applications.models import Side
from jobboard.applications.models import Stage as S
from jobboard.errors import Conflict

ACTIVE = frozenset({S.SUBMITTED, S.VIEWED, S.INTERVIEW, S.OFFER})
WAITING = frozenset({S.SUBMITTED, S.VIEWED})  # for a first answer
ANSWERS = frozenset({S.INTERVIEW, S.OFFER, S.HIRED, S.REJECTED})  # to have looked is none
OVERDUE_AFTER = timedelta(days=14)

STEPS: dict[Side, dict[S, tuple[S, ...]]] = {
    Side.COMPANY: {
        S.SUBMITTED: (S.VIEWED, S.INTERVIEW, S.OFFER, S.REJECTED),
        S.VIEWED: (S.INTERVIEW, S.OFFER, S.REJECTED),
        S.INTERVIEW: (S.OFFER, S.REJECTED),
        S.OFFER: (S.HIRED, S.REJECTED),
        S.REJECTED: (S.VIEWED,),  # a second look
        S.HIRED: (),
        S.WITHDRAWN: (),
    },
    Side.CANDIDATE: {stage: (S.WITHDRAWN,) if stage in ACTIVE else () for stage in S},
}


def possible(stage: S, side: Side) -> tuple[S, ...]:
    """Where `side` can move an application that stands at `stage`."""
    return STEPS[side][stage]


def require(stage: S, target: S, side: Side) -> None:
    """Raise Conflict, saying what is possible, unless `side` may move from `stage` to `target`."""
    if target in possible(stage, side):
        return
    names = ", ".join(possible(stage, side)) or "nothing, this is final"
    raise Conflict(
        f"This application is {stage}: it cannot become {target}. Possible now: {names}.",
        code="application_step_impossible",
    )
