"""Who is there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import LoginSession, Person, Role
from jobboard.accounts.schemas import Actor


async def by_email(session: AsyncSession, email: str) -> Person | None:
    """The account with this address, whatever the case of its letters."""
    return await session.scalar(select(Person).where(func.lower(Person.email) == email.lower()))


def _actors() -> Select[UUID, str, str, Role, UUID]:
    return (
        select(Person.id, Person.email, Person.full_name, Person.role, LoginSession.id)
        .join(LoginSession, LoginSession.person_id == Person.id)
        .where(
            Person.suspended_at.is_(None),
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > func.now(),
        )
    )


async def actor_of_login(
    session: AsyncSession, person_id: UUID, login_session_id: UUID
) -> Actor | None:
    """The person behind an access token, unless that log-in ended or they are suspended."""
    rows = await session.execute(
        _actors().where(Person.id == person_id, LoginSession.id == login_session_id)
    )
    return _one(rows.first())


async def actor_of_cookie(session: AsyncSession, hashed: bytes) -> tuple[Actor, datetime] | None:
    """The person behind a page's cookie, by the hash of its token, and when they were last seen."""
    statement = _actors().add_columns(LoginSession.last_seen_at)
    row = (await session.execute(statement.where(LoginSession.token_hash == hashed))).first()
    return None if row is None else (Actor(*row[:5]), row[5])


def _one(row: Row[UUID, str, str, Role, UUID] | None) -> Actor | None:
    return None if row is None else Actor(*row)


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
