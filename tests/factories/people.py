"""People, logged in through the API."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import tokens
from jobboard.accounts.models import LoginKind, LoginSession, Person, Role
from jobboard.accounts.passwords import hash_password
from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.settings import Settings

PASSWORD = "a quiet sentence for tests"
_numbers = count(1)
_hash: list[str] = []  # of PASSWORD, made once: hashing is slow on purpose


@dataclass(frozen=True)
class User:
    """A person who is logged in through the API."""

    actor: Actor
    headers: dict[str, str] = field(repr=False)

    @property
    def id(self) -> UUID:
        """The person's id."""
        return self.actor.id


async def make_user(
    session: AsyncSession,
    settings: Settings,
    role: Role = Role.CANDIDATE,
    *,
    full_name: str = "Kim Example",
    email: str | None = None,
    minutes: int = 10,
) -> User:
    """A new person with PASSWORD and an open log-in, whose token lasts so many `minutes`.

    Committed, so that the app sees them.
    """
    if not _hash:
        _hash.append(await hash_password(PASSWORD))
    person = Person(
        email=email or f"person{next(_numbers)}@example.com",
        full_name=full_name,
        password_hash=_hash[0],
        role=role,
    )
    session.add(person)
    await session.flush()
    login = LoginSession(
        person_id=person.id, kind=LoginKind.API, expires_at=now() + timedelta(days=1)
    )
    session.add(login)
    await session.commit()
    token = tokens.access_token(
        settings.secret_key.get_secret_value(),
        issuer=settings.base_url,
        person_id=person.id,
        login_session_id=login.id,
        minutes=minutes,
    )
    actor = Actor(person.id, person.email, person.full_name, person.role, login.id)
    return User(actor, {"Authorization": f"Bearer {token}"})
