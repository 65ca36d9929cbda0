"""Who may do what: THE table, and the two questions that are asked of it.

A right comes from a person's role or from what they are to the thing; whoever looks up the thing
says the latter. Which things someone sees at all is `visible_to` in each area's `queries.py`; from
which state a step is possible, and for which side, is each area's `lifecycle.py`.
"""

from dataclasses import dataclass
from enum import StrEnum

from jobboard.accounts.models import Role
from jobboard.accounts.schemas import Actor
from jobboard.accounts.scopes import Scope
from jobboard.errors import Forbidden, InsufficientScope, Unauthenticated


class Who(StrEnum):
    """Whom a rule lets through: the first three by their role, the others by what they are to
    the thing. An API key is a member and a key of its company, and nothing else."""

    CANDIDATE = "candidate"
    EMPLOYER = "employer"
    ADMIN = "admin"
    MEMBER = "member"  # acts for the company
    OWNER = "owner"  # owns the company
    KEY = "key"  # is an API key of the company
    SELF = "self"  # the person whose thing it is
    PERSON = "person"  # whoever is signed in


class Right(StrEnum):
    """What someone may have the right to do. What is public needs none."""

    USE_ACCOUNT = "use_account"
    OFFER_WORK = "offer_work"
    SEE_COMPANY = "see_company"
    LEAVE_COMPANY = "leave_company"
    MANAGE_COMPANY = "manage_company"
    MANAGE_KEYS = "manage_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"
    SEE_JOB = "see_job"
    SEE_NUMBERS = "see_numbers"
    WRITE_JOB = "write_job"
    APPLY = "apply"
    WITHDRAW = "withdraw"
    SEE_APPLICATION = "see_application"
    LIST_OWN_APPLICATIONS = "list_own_applications"
    ANSWER_APPLICATION = "answer_application"
    SEE_TASK = "see_task"
    WRITE_TASK = "write_task"
    SEE_WALLET = "see_wallet"
    SPEND = "spend"
    MODERATE = "moderate"
    MANAGE_MONEY = "manage_money"


@dataclass(frozen=True, slots=True)
class Rule:
    """One of `who` may, if their token has `scope`."""

    scope: Scope
    who: tuple[Who, ...]


def _rule(scope: Scope, *who: Who) -> Rule:
    return Rule(scope, who)


MAY: dict[Right, Rule] = {
    Right.USE_ACCOUNT: _rule(Scope.ACCOUNT, Who.PERSON),
    Right.OFFER_WORK: _rule(Scope.COMPANIES_WRITE, Who.EMPLOYER, Who.ADMIN),
    Right.SEE_COMPANY: _rule(Scope.COMPANIES_READ, Who.MEMBER, Who.ADMIN),
    Right.LEAVE_COMPANY: _rule(Scope.COMPANIES_WRITE, Who.MEMBER, Who.ADMIN),
    Right.MANAGE_COMPANY: _rule(Scope.COMPANIES_WRITE, Who.OWNER, Who.ADMIN),
    Right.MANAGE_KEYS: _rule(Scope.KEYS, Who.OWNER),
    Right.MANAGE_WEBHOOKS: _rule(Scope.WEBHOOKS, Who.OWNER, Who.ADMIN, Who.KEY),
    Right.SEE_JOB: _rule(Scope.JOBS_READ, Who.MEMBER, Who.ADMIN),
    Right.SEE_NUMBERS: _rule(Scope.JOBS_READ, Who.MEMBER),
    Right.WRITE_JOB: _rule(Scope.JOBS_WRITE, Who.MEMBER, Who.ADMIN),
    Right.APPLY: _rule(Scope.APPLICATIONS_WRITE, Who.CANDIDATE),
    Right.WITHDRAW: _rule(Scope.APPLICATIONS_WRITE, Who.SELF),
    Right.SEE_APPLICATION: _rule(Scope.APPLICATIONS_READ, Who.SELF, Who.MEMBER, Who.ADMIN),
    Right.LIST_OWN_APPLICATIONS: _rule(Scope.APPLICATIONS_READ, Who.PERSON),
    Right.ANSWER_APPLICATION: _rule(Scope.APPLICATIONS_WRITE, Who.MEMBER),
    Right.SEE_TASK: _rule(Scope.TASKS_READ, Who.SELF),
    Right.WRITE_TASK: _rule(Scope.TASKS_WRITE, Who.SELF),
    # Of which wallets: `wallet.queries.spends`. A company's depends on its member's limit.
    Right.SEE_WALLET: _rule(Scope.WALLET_READ, Who.PERSON),
    Right.SPEND: _rule(Scope.WALLET_WRITE, Who.PERSON),
    Right.MODERATE: _rule(Scope.MODERATION, Who.ADMIN),
    Right.MANAGE_MONEY: _rule(Scope.MODERATION, Who.ADMIN),
}

ROLES = {Role.CANDIDATE: Who.CANDIDATE, Role.EMPLOYER: Who.EMPLOYER, Role.ADMIN: Who.ADMIN}
# Code and words for those who are not what a rule asks for first.
REFUSALS: dict[Who, tuple[str, str]] = {
    Who.CANDIDATE: ("not_a_candidate", "Only candidates apply, and your account is another kind."),
    Who.EMPLOYER: (
        "not_an_employer",
        "Your account is a candidate's. Sign up as an employer to post jobs.",
    ),
    Who.ADMIN: ("not_an_admin", "Only moderators can see this or do it."),
    Who.MEMBER: ("not_a_member", "Only the people of this company can do this."),
    Who.OWNER: ("not_an_owner", "Only an owner of this company can do this."),
    Who.SELF: ("not_yours", "Only the person whose this is can do this."),
    Who.PERSON: ("not_a_person", "An API key cannot do this: log in as a person."),
}


def may(actor: Actor | None, right: Right, *what: Who) -> bool:
    """Whether `actor` has this right, being `what` to the thing."""
    if actor is None or MAY[right].scope not in actor.scopes:
        return False
    return bool(_as(actor, what) & set(MAY[right].who))


def _as(actor: Actor, what: tuple[Who, ...]) -> set[Who]:
    """All that someone is. A key has no role: it is what it is to its company."""
    return set(what) if actor.is_key else {ROLES[actor.role], Who.PERSON, *what}


def require(actor: Actor | None, right: Right, *what: Who) -> None:
    """Raise Unauthenticated, InsufficientScope or Forbidden unless `actor` has it."""
    require_scope(actor, right)
    if may(actor, right, *what):
        return
    wanted = MAY[right].who[0]
    if wanted is Who.OWNER and Who.MEMBER not in what:
        wanted = Who.MEMBER
    code, message = REFUSALS[wanted]
    raise Forbidden(message, code=code)


def require_scope(actor: Actor | None, right: Right) -> None:
    """The half that a door can ask before it knows the thing."""
    if actor is None:
        raise Unauthenticated
    if MAY[right].scope not in actor.scopes:
        raise InsufficientScope(MAY[right].scope)
