"""Who is there, and what they must do before anything else."""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import LoginKind, LoginSession, Person, Role, SecondFactor
from jobboard.accounts.schemas import Actor
from jobboard.errors import Conflict, Forbidden
from jobboard.settings import Settings


async def by_email(session: AsyncSession, email: str) -> Person | None:
    """The account with this address, whatever the case of its letters."""
    return await session.scalar(select(Person).where(func.lower(Person.email) == email.lower()))


# A log-in that lives: of one who may act, not ended, not too old.
ALIVE = (
    Person.suspended_at.is_(None),
    LoginSession.ended_at.is_(None),
    LoginSession.expires_at > func.now(),
)


@cache
def _actors(
    condition: ColumnElement[bool], *, verify: bool, enrol: bool
) -> Select[UUID, str, str, Role, UUID, bool, bool, datetime]:
    """What `_actor` takes, and when they were last seen. Made once: every request asks it."""
    return (
        select(
            Person.id,
            Person.email,
            Person.full_name,
            Person.role,
            LoginSession.id,
            Person.email_verified_at.is_(None) if verify else false(),
            _not_enrolled() if enrol else false(),
            LoginSession.last_seen_at,
        )
        .join(LoginSession, LoginSession.person_id == Person.id)
        .where(condition, *ALIVE)
    )


BY_LOGIN = (Person.id == bindparam("person_id")) & (LoginSession.id == bindparam("login_id"))
BY_COOKIE = LoginSession.token_hash == bindparam("token_hash")


async def _find(
    session: AsyncSession, condition: ColumnElement[bool], settings: Settings, **values: Any
) -> tuple[Actor, datetime] | None:
    statement = _actors(
        condition, verify=settings.must_verify_email, enrol=settings.admins_need_second_factor
    )
    row = (await session.execute(statement, values)).first()
    return None if row is None else (_actor(*row[:7]), row[7])


def _actor(
    person_id: UUID, email: str, name: str, role: Role, login_id: UUID, verify: bool, enrol: bool
) -> Actor:
    return Actor(person_id, email, name, role, login_id, must_verify_email=verify, must_enrol=enrol)


def _not_enrolled() -> ColumnElement[bool]:
    enrolled = exists().where(
        SecondFactor.person_id == Person.id, SecondFactor.confirmed_at.is_not(None)
    )
    return and_(Person.role == Role.ADMIN, ~enrolled)


async def actor_of_login(
    session: AsyncSession, person_id: UUID, login_session_id: UUID, settings: Settings
) -> Actor | None:
    """The person behind an access token, unless that log-in ended or they are suspended."""
    found = await _find(session, BY_LOGIN, settings, person_id=person_id, login_id=login_session_id)
    return None if found is None else found[0]


async def living(session: AsyncSession, login_ids: Collection[UUID]) -> set[UUID]:
    """Those of some log-ins that have not ended, of people who are not suspended."""
    alive = (
        select(LoginSession.id)
        .join(Person, Person.id == LoginSession.person_id)
        .where(LoginSession.id.in_(login_ids), *ALIVE)
    )
    return set(await session.scalars(alive))


async def actor_of_cookie(
    session: AsyncSession, hashed: bytes, settings: Settings
) -> tuple[Actor, datetime] | None:
    """The person behind a page's cookie, by the hash of its token, and when they were last seen."""
    return await _find(session, BY_COOKIE, settings, token_hash=hashed)


def require_verified(actor: Actor) -> None:
    """Raise Conflict for who must verify their address before they speak to others."""
    if actor.must_verify_email:
        raise Conflict(
            "Confirm your e-mail address first, by the link that we mailed you. On the page of "
            "your account you can ask for a new one.",
            code="email_unverified",
        )


def require_enrolled(actor: Actor) -> None:
    """Raise Forbidden for an admin who must set up two-step log-in before anything else."""
    if actor.must_enrol:
        raise Forbidden(
            "Admins of this board need two-step log-in. Set it up first.",
            code="second_factor_required",
        )


def logins(
    person_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> Select[UUID, LoginKind, str, datetime, datetime, datetime]:
    """The log-ins of a person that live, newest first."""
    statement = (
        select(
            LoginSession.id,
            LoginSession.kind,
            LoginSession.user_agent,
            LoginSession.created_at,
            LoginSession.last_seen_at,
            LoginSession.expires_at,
        )
        .where(
            LoginSession.person_id == person_id,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > func.now(),
        )
        .order_by(LoginSession.created_at.desc(), LoginSession.id.desc())
        .limit(limit + 1)
    )
    if before:
        older = func.row(LoginSession.created_at, LoginSession.id) < func.row(*before)
        statement = statement.where(older)
    return statement


def people(*, before: tuple[datetime, UUID] | None, limit: int, q: str | None) -> Select[Person]:
    """Everyone, newest first, for admins; `q` is part of a name or an address."""
    statement = select(Person).order_by(Person.created_at.desc(), Person.id.desc()).limit(limit + 1)
    if q:
        pattern = f"%{escape_like(q)}%"
        statement = statement.where(
            Person.email.ilike(pattern, escape="\\") | Person.full_name.ilike(pattern, escape="\\")
        )
    if before:
        statement = statement.where(func.row(Person.created_at, Person.id) < func.row(*before))
    return statement


def escape_like(words: str) -> str:
    """Make `%` and `_` in what a person typed mean themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
