"""The verbs of log-ins: prove who you are, see where you are logged in, log out."""

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import codes, passwords, queries, refreshing, tokens
from jobboard.accounts.devices import device
from jobboard.accounts.models import LoginKind, LoginSession, Person, RefreshToken
from jobboard.accounts.schemas import Actor, LoginRead, TokenPair
from jobboard.accounts.scopes import narrowed, of_role, written
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.errors import Forbidden, Invalid, NotFound, Unauthenticated
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.settings import Settings

MAX_USER_AGENT = 300
SEEN_EVERY = timedelta(days=1)

WRONG_LOGIN = "This e-mail address and password do not belong together."


@dataclass(frozen=True, slots=True)
class WebLogin:
    """A log-in through the pages: the cookie's value, shown once, and who it is."""

    token: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class HalfLogin:
    """A right password, where a code is needed too: what the browser keeps until then."""

    token: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Who showed the right password. `renewed` is its hash by today's parameters, where the one
    that is kept has older ones."""

    person: Person
    password: str = field(repr=False)
    renewed: str | None = field(default=None, repr=False)


async def claim(session: AsyncSession, email: str) -> Person | None:
    """The first step of a log-in: whom this address belongs to, if anyone."""
    return await queries.by_email(session, email.strip())


async def authenticate(claimed: Person | None, password: str) -> Proven:
    """The second, between two transactions: it waits for its turn, and no connection waits too.

    Raises Unauthenticated, as late for nobody as for a wrong password, or Forbidden.
    """
    hashed = claimed.password_hash if claimed else None
    if not await passwords.verify_password(password, hashed) or claimed is None:
        raise _wrong_login()
    require_not_suspended(claimed)
    renewed = await passwords.renewed(password, claimed.password_hash)
    return Proven(claimed, password, renewed)


def require_not_suspended(person: Person) -> None:
    """Raise Forbidden for who is shut out, once they proved who they are."""
    if person.suspended_at is not None:
        raise Forbidden(
            "This account is suspended. Write to the people who run this board.",
            code="account_suspended",
        )


def note_refused(session: AsyncSession, person_id: UUID | None, *, step: str = "password") -> None:
    """Instead of the last step, when one before it failed: the audit log hears of it.

    `person_id` is None where the address has no account. A wrong `code` after the right password
    says that someone knows the password.
    """
    subject = (Subject.PERSON, person_id) if person_id else None
    details = {"step": step}
    audit.record(session, Action.LOGIN_FAILED, person_id=None, subject=subject, details=details)


def _wrong_login() -> Unauthenticated:
    return Unauthenticated(WRONG_LOGIN, code="wrong_credentials")


async def _require_same_password(session: AsyncSession, proven: Proven) -> Person:
    """Someone may have changed it, to shut others out, since it was verified; whose it is.

    Its renewed hash is kept. Another log-in may have done so first: then, which is rare, the
    password is verified once more while a connection is held.
    """
    statement = select(Person).where(Person.id == proven.person.id)
    locked = await session.scalars(statement.with_for_update(read=proven.renewed is None))
    person = locked.one()
    if person.password_hash != proven.person.password_hash:
        if proven.renewed is None or not await passwords.verify_password(
            proven.password, person.password_hash
        ):
            raise _wrong_login()
    elif proven.renewed is not None:
        person.password_hash = proven.renewed
    return person


async def log_in(
    session: AsyncSession,
    proven: Proven,
    settings: Settings,
    *,
    user_agent: str,
    scope: str = "",
    code: str | None = None,
) -> TokenPair:
    """The last, for who authenticated: an access token and the first refresh token.

    `scope` narrows this log-in for good. Raises Invalid for one that they cannot have, and
    Unauthenticated (`mfa_required`, `mfa_invalid`) where the account has a second step.
    """
    person = await _require_same_password(session, proven)
    granted = narrowed(scope, of_role(person.role))
    if await codes.is_on(session, person.id):
        await _take_code(session, person, code, settings)
    login = await _open(session, person, LoginKind.API, settings, user_agent)
    login.scopes = written(granted) if scope.strip() else None
    _record_login(session, person.id, LoginKind.API)
    return await refreshing.first_pair(session, person.id, login.id, settings, granted)


async def _take_code(
    session: AsyncSession, person: Person, code: str | None, settings: Settings
) -> None:
    if code is None:
        raise Unauthenticated(
            "This account has two-step log-in: send a code of the app, or a recovery code, as otp.",
            code="mfa_required",
        )
    try:
        await codes.require_code(session, person.id, code, settings)
    except Invalid as error:
        raise Unauthenticated(error.message, code="mfa_invalid") from None


async def log_in_to_pages(
    session: AsyncSession, proven: Proven, settings: Settings, *, user_agent: str
) -> WebLogin | HalfLogin:
    """The same for the pages: an opaque cookie instead of tokens, or half of a log-in."""
    person = await _require_same_password(session, proven)
    if await codes.is_on(session, person.id):
        return HalfLogin(tokens.half_login_token(person.id, person.password_hash, settings))
    _record_login(session, person.id, LoginKind.WEB)
    return await open_web_login(session, person.id, settings, user_agent=user_agent)


async def complete_web_login(
    session: AsyncSession, half: str, code: str, settings: Settings, *, user_agent: str
) -> WebLogin:
    """The second step on the pages. Raises Unauthenticated for half a log-in that is too old or
    whose password was changed since, Invalid for a wrong code."""
    person_id, fingerprint = tokens.read_half_login(half, settings)
    person = await session.get(Person, person_id, with_for_update={"read": True})
    if (
        person is None
        or person.suspended_at is not None
        or not hmac.compare_digest(tokens.fingerprint(person.password_hash), fingerprint)
    ):
        raise tokens.dead_half_login()
    await codes.require_code(session, person.id, code, settings)
    _record_login(session, person.id, LoginKind.WEB)
    return await open_web_login(session, person.id, settings, user_agent=user_agent)


def _record_login(session: AsyncSession, person_id: UUID, kind: LoginKind) -> None:
    audit.record(session, Action.LOGIN_OPENED, person_id=person_id, details={"door": kind})


async def open_web_login(
    session: AsyncSession, person_id: UUID, settings: Settings, *, user_agent: str
) -> WebLogin:
    """A new cookie for someone who just proved who they are (log-in or sign-up)."""
    person = await session.get_one(Person, person_id)
    token = tokens.new_token()
    login = await _open(
        session, person, LoginKind.WEB, settings, user_agent, hashed=tokens.token_hash(token)
    )
    actor = await queries.actor_of_login(session, person.id, login.id, settings)
    if actor is None:  # suspended since the password was verified
        raise _wrong_login()
    return WebLogin(token, actor)


async def resume_web_login(session: AsyncSession, token: str, settings: Settings) -> Actor | None:
    """Who a cookie belongs to, if its log-in lives. One that is used lives on: noted once a day."""
    found = await queries.actor_of_cookie(session, tokens.token_hash(token), settings)
    if found is None:
        return None
    actor, last_seen_at = found
    if now() - last_seen_at > SEEN_EVERY:
        await refreshing.extend(session, actor.login_session_id, settings)
    return actor


async def _open(
    session: AsyncSession,
    person: Person,
    kind: LoginKind,
    settings: Settings,
    user_agent: str,
    *,
    hashed: bytes | None = None,
) -> LoginSession:
    login = LoginSession(
        person_id=person.id,
        kind=kind,
        token_hash=hashed,
        user_agent=user_agent[:MAX_USER_AGENT],
        expires_at=now() + timedelta(days=settings.login_days),
    )
    session.add(login)
    await session.flush()
    return login


async def revoke(session: AsyncSession, token: str, settings: Settings) -> None:
    """End the log-in of an access or refresh token (RFC 7009). An unknown token is no error."""
    known = await session.get(RefreshToken, tokens.token_hash(token))
    if known is not None:
        await end_login(session, known.login_session_id)
        return
    secret = settings.secret_key.get_secret_value()
    try:
        login_id = tokens.read_access_token(token, secret, issuer=settings.base_url)[1]
    except Unauthenticated:
        return
    await end_login(session, login_id)


async def end_login(session: AsyncSession, login_session_id: UUID) -> None:
    """Log out: cookie, access and refresh tokens of this log-in die together."""
    if person_id := await refreshing.end(session, login_session_id):
        audit.record(session, Action.LOGIN_ENDED, person_id=person_id)


async def end_logins(session: AsyncSession, person_id: UUID, *, but: UUID | None = None) -> None:
    """End every log-in of a person, except one."""
    statement = update(LoginSession).where(
        LoginSession.person_id == person_id, LoginSession.ended_at.is_(None)
    )
    if but is not None:
        statement = statement.where(LoginSession.id != but)
    await session.execute(statement.values(ended_at=now()))


async def list_logins(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[LoginRead]:
    """Where this person is logged in, newest first."""
    statement = queries.logins(actor.id, before=read_moment_cursor(cursor), limit=limit)
    rows, more = cut((await session.execute(statement)).all(), limit)
    items = [
        LoginRead(
            id=row.id,
            kind=row.kind,
            device=device(row.user_agent),
            current=row.id == actor.login_session_id,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]
    last = items[-1] if more else None
    return Page(items=items, next_cursor=moment_cursor(last.created_at, last.id) if last else None)


async def end_own(session: AsyncSession, actor: Actor, login_session_id: UUID) -> None:
    """End one of one's own log-ins. Raises NotFound for any other."""
    ended = await session.scalar(
        update(LoginSession)
        .where(
            LoginSession.id == login_session_id,
            LoginSession.person_id == actor.id,
            LoginSession.ended_at.is_(None),
        )
        .values(ended_at=now())
        .returning(LoginSession.id)
    )
    if ended is None:
        raise NotFound("There is no such log-in of yours.", code="login_not_found")


async def forget_old_logins(session: AsyncSession) -> int:
    """Delete a batch of log-ins that ended or expired a week ago, with their tokens; how many."""
    week_ago = now() - timedelta(days=7)
    old = (
        select(LoginSession.id)
        .where(or_(LoginSession.ended_at < week_ago, LoginSession.expires_at < week_ago))
        .limit(100)  # a few: thousands of refresh tokens may hang on each
        .with_for_update(skip_locked=True)
        .cte("old")  # a subquery might be run again and again, and find others each time
    )
    gone = await session.scalars(
        delete(LoginSession).where(LoginSession.id == old.c.id).returning(LoginSession.id)
    )
    return len(gone.all())
