"""Scopes: how much of what someone may do a token or an API key carries (RFC 6749, section 3.3).

A scope never gives a right: it leaves some of the holder's own. `may.py` says which scope a
right needs.
"""

from collections.abc import Iterable
from enum import StrEnum

from jobboard.accounts.models import Role
from jobboard.errors import Invalid


class KeyScope(StrEnum):
    """What a company's API key can carry: it works for the company and is nobody's."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_WRITE = "applications:write"
    WEBHOOKS = "webhooks"


class Scope(StrEnum):
    """What a token can be narrowed to."""

    ACCOUNT = "account"
    COMPANIES_READ = "companies:read"
    COMPANIES_WRITE = "companies:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_WRITE = "applications:write"
    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    WALLET_READ = "wallet:read"
    WALLET_WRITE = "wallet:write"
    KEYS = "keys"
    WEBHOOKS = "webhooks"
    MODERATION = "moderation"


MEANINGS: dict[Scope, str] = {
    Scope.ACCOUNT: "Your account and all that has no scope of its own.",
    Scope.COMPANIES_READ: "See the people of your companies.",
    Scope.COMPANIES_WRITE: "Make companies, change yours, let people in and out.",
    Scope.JOBS_READ: "See jobs that are not public.",
    Scope.JOBS_WRITE: "Write jobs and move them through their life.",
    Scope.APPLICATIONS_READ: "Read applications and the résumés that came with them.",
    Scope.APPLICATIONS_WRITE: "Apply and withdraw; answer applicants.",
    Scope.TASKS_READ: "Read your tasks.",
    Scope.TASKS_WRITE: "Write your tasks.",
    Scope.WALLET_READ: "Look into your wallets.",
    Scope.WALLET_WRITE: "Spend of your wallets.",
    Scope.KEYS: "Make and revoke your companies' API keys.",
    Scope.WEBHOOKS: "Manage your companies' webhooks and see what they were sent.",
    Scope.MODERATION: "Moderate, as an admin.",
}
ALL = frozenset(Scope)
OF_KEYS = frozenset(Scope(scope) for scope in KeyScope)


def of_role(role: Role) -> frozenset[Scope]:
    """All that a person of this role can hand to a token."""
    return ALL if role is Role.ADMIN else ALL - {Scope.MODERATION}


def narrowed(asked: str, own: frozenset[Scope]) -> frozenset[Scope]:
    """What is asked for of `own`, all of it by default. Raises Invalid for what nobody knows, and
    where nothing is left."""
    wanted = asked.split()
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        raise _invalid(f"There is no scope “{unknown[0]}”. There are: {written(ALL)}.")
    granted = own & {Scope(name) for name in wanted} if wanted else own
    if not granted:
        raise _invalid(f"Of these scopes you have none to give. You have: {written(own)}.")
    return granted


def _invalid(message: str) -> Invalid:
    return Invalid.field("scope", message, code="invalid_scope")


def read(text: str) -> frozenset[Scope]:
    """The scopes of a list that we wrote; those that are no more are left out."""
    return frozenset(Scope(name) for name in text.split() if name in ALL)


def written(scopes: Iterable[Scope]) -> str:
    """As OAuth2 writes a list, in the order in which they stand above."""
    given = set(scopes)
    return " ".join(scope for scope in Scope if scope in given)
