"""A job's life: which step leads from where to where, and who may take it. One table.

draft --submit--> pending --approve--> published --close--> closed
                  pending --reject--> rejected --submit--> pending
                  published --expire--> expired      closed, expired --reopen--> published
                  anything but a draft --remove--> removed
                  rejected, removed --restore--> pending
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jobboard.errors import Conflict
from jobboard.jobs.models import JobStatus as S


class Party(StrEnum):
    """Who takes a step."""

    MEMBER = "member"  # someone of the company
    ADMIN = "admin"
    CLOCK = "clock"  # the worker's schedule


class Step(StrEnum):
    """What can happen to a job."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    CLOSE = "close"
    REOPEN = "reopen"
    EXPIRE = "expire"
    REMOVE = "remove"
    RESTORE = "restore"  # a decision was a mistake: it waits for another
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Rule:
    """A step is possible from these states, for these parties, and leads there (None: stays)."""

    origin: frozenset[S]
    target: S | None
    parties: frozenset[Party]


def _rule(origin: Iterable[S], target: S | None, *parties: Party) -> Rule:
    return Rule(frozenset(origin), target, frozenset(parties))


RULES: dict[Step, Rule] = {
    Step.SUBMIT: _rule({S.DRAFT, S.REJECTED}, S.PENDING, Party.MEMBER, Party.ADMIN),
    Step.APPROVE: _rule({S.PENDING}, S.PUBLISHED, Party.ADMIN),
    Step.REJECT: _rule({S.PENDING}, S.REJECTED, Party.ADMIN),
    Step.CLOSE: _rule({S.PENDING, S.PUBLISHED}, S.CLOSED, Party.MEMBER, Party.ADMIN),
    # To published only while the text is the approved one, else to pending: see service.reopen.
    Step.REOPEN: _rule({S.CLOSED, S.EXPIRED}, S.PUBLISHED, Party.MEMBER, Party.ADMIN),
    Step.EXPIRE: _rule({S.PUBLISHED}, S.EXPIRED, Party.CLOCK),
    Step.REMOVE: _rule(set(S) - {S.DRAFT, S.REMOVED}, S.REMOVED, Party.ADMIN),
    Step.RESTORE: _rule({S.REJECTED, S.REMOVED}, S.PENDING, Party.ADMIN),
    # An edit that matters sends a published job back to pending: see service.change.
    Step.EDIT: _rule(set(S) - {S.REMOVED}, None, Party.MEMBER, Party.ADMIN),
    Step.DELETE: _rule({S.DRAFT, S.REJECTED}, None, Party.MEMBER, Party.ADMIN),
}

# Changing one of these changes what was approved. Tags, for example, do not.
MATERIAL = frozenset({"title", "description", "location", "remote", "salary", "apply_url"})


def possible(status: S, party: Party) -> list[Step]:
    """The steps that `party` can take with a job that stands at `status`."""
    return [s for s, rule in RULES.items() if status in rule.origin and party in rule.parties]


def require(step: Step, status: S, party: Party) -> S:
    """The status that `step` leads to. Raises Conflict, saying what is possible instead."""
    rule = RULES[step]
    if status in rule.origin and party in rule.parties:
        return rule.target or status
    names = ", ".join(possible(status, party)) or "nothing"
    raise Conflict(
        f"This job is {status}: you cannot {step} it. Possible now: {names}.",
        code="job_step_impossible",
    )
