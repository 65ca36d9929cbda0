"""How a log-in goes on: refresh tokens that work once, and a life that each use prolongs.

There is one line of them. Whoever asks again within the grace gets the successor that was given
before, never one of their own: so a thief is on the same line as the owner, and the first who comes
with a token whose successor was used, or after the grace, ends the log-in for both.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import tokens
from jobboard.accounts.models import LoginSession, Person, RefreshToken
from jobboard.accounts.schemas import TokenPair
from jobboard.accounts.scopes import Scope, narrowed, of_role, read, written
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.errors import Unauthenticated
from jobboard.settings import Settings

REFRESH_GRACE = timedelta(seconds=45)  # a lost answer may be asked for again this long


async def first_pair(
    session: AsyncSession,
    person_id: UUID,
    login_session_id: UUID,
    settings: Settings,
    scopes: frozenset[Scope],
) -> TokenPair:
    """What a log-in by the API begins with."""
    token = tokens.new_token()
    await _keep(session, token, login_session_id)
    return _pair(token, person_id, login_session_id, settings, scopes)


async def _keep(session: AsyncSession, token: str, login_session_id: UUID) -> None:
    hashed = tokens.token_hash(token)
    session.add(RefreshToken(token_hash=hashed, login_session_id=login_session_id))
    await session.flush()


def _pair(
    token: str,
    person_id: UUID,
    login_session_id: UUID,
    settings: Settings,
    scopes: frozenset[Scope],
) -> TokenPair:
    """An access token, and the refresh token that is good for the next pair."""
    access = tokens.access_token(
        settings.secret_key.get_secret_value(),
        issuer=settings.base_url,
        person_id=person_id,
        login_session_id=login_session_id,
        minutes=settings.access_token_minutes,
        scopes=scopes,
    )
    return TokenPair(
        access_token=access,
        expires_in=settings.access_token_minutes * 60,
        refresh_token=token,
        scope=written(scopes),
    )


async def refresh(
    session: AsyncSession, token: str, settings: Settings, *, scope: str = ""
) -> TokenPair | None:
    """Trade a refresh token for a new pair. None: it was used before, and its log-in ended now.

    Within the grace the same token gets the same successor, as long as that was not used.

    `scope` narrows the new access token, never what the log-in has (RFC 6749, section 6).

    The caller must let the transaction commit before it refuses a None: an exception here would
    roll back the very end of the log-in that a stolen token must bring.
    """
    hashed, successor = tokens.token_hash(token), tokens.successor(token, settings)
    used = await session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_hash == hashed, RefreshToken.used_at.is_(None))
        .values(used_at=now())
        .returning(RefreshToken.login_session_id)
    )
    login_id = used.scalar()
    if login_id is None:
        old = await session.get(RefreshToken, hashed)
        if old is None or old.used_at is None:
            raise _dead_refresh_token()
        if now() - old.used_at > REFRESH_GRACE or not await _waits(session, successor):
            await _end_stolen_login(session, old.login_session_id)
            return None
        login_id = old.login_session_id
    else:
        await _keep(session, successor, login_id)
    person_id = await extend(session, login_id, settings)
    granted = narrowed(scope, await _scopes_of(session, login_id))
    return _pair(successor, person_id, login_id, settings, granted)


async def _waits(session: AsyncSession, token: str) -> bool:
    """Whether this token was given out and not used yet."""
    known = await session.get(RefreshToken, tokens.token_hash(token))
    return known is not None and known.used_at is None


async def _scopes_of(session: AsyncSession, login_id: UUID) -> frozenset[Scope]:
    """What a log-in can hand to its access tokens."""
    found = await session.execute(
        select(Person.role, LoginSession.scopes)
        .join(LoginSession, LoginSession.person_id == Person.id)
        .where(LoginSession.id == login_id)
    )
    role, asked = found.one()
    return of_role(role) if asked is None else of_role(role) & read(asked)


async def extend(session: AsyncSession, login_id: UUID, settings: Settings) -> UUID:
    """A log-in that is used lives on. Returns its person."""
    person_id = await session.scalar(
        update(LoginSession)
        .where(
            LoginSession.id == login_id,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now(),
            LoginSession.person_id.in_(select(Person.id).where(Person.suspended_at.is_(None))),
        )
        .values(last_seen_at=now(), expires_at=now() + timedelta(days=settings.login_days))
        .returning(LoginSession.person_id)
    )
    if person_id is None:
        raise _dead_refresh_token()
    return person_id


async def _end_stolen_login(session: AsyncSession, login_session_id: UUID) -> None:
    """The same by the board itself: a refresh token came twice, so one of the two is a thief's."""
    if person_id := await end(session, login_session_id):
        about = (Subject.PERSON, person_id)
        audit.record(session, Action.LOGIN_TOKEN_REUSED, person_id=None, subject=about)


async def end(session: AsyncSession, login_session_id: UUID) -> UUID | None:
    """Whose log-in this was, if it was still open."""
    return await session.scalar(
        update(LoginSession)
        .where(LoginSession.id == login_session_id, LoginSession.ended_at.is_(None))
        .values(ended_at=now())
        .returning(LoginSession.person_id)
    )


def _dead_refresh_token() -> Unauthenticated:
    return Unauthenticated(
        "This refresh token is no longer valid. Log in again.", code="refresh_token_invalid"
    )
