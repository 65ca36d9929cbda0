"""API keys: a company's own way in, for its programs. Kept as SHA-256, shown once.

A key is the company's, not the person's who made it: it works on when they leave, and is a member
of the company to `accounts/may.py`. It rests while every owner of the company is suspended, and
while the person who made it is: they have seen it, and shutting them out must shut it out, too.
"""

import secrets
import string
import zlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import scopes
from jobboard.accounts.may import Right
from jobboard.accounts.models import Person, Role
from jobboard.accounts.schemas import Actor
from jobboard.accounts.scopes import Scope
from jobboard.accounts.tokens import token_hash
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.companies import queries
from jobboard.companies.models import ApiKey, Company, CompanyMember, MemberRole
from jobboard.companies.schemas import ApiKeyCreate, ApiKeyMade, ApiKeyRead
from jobboard.errors import Conflict, InsufficientScope, NotFound, Unauthenticated
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor

PREFIX = "jb_"
RANDOM = 32  # characters of ALPHABET: 190 bits
CHECK = 6  # characters that hold a CRC-32
SHOWN = len(PREFIX) + 6  # of its beginning, to tell keys apart
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
MOST = 20  # living keys of a company
USED_EVERY = timedelta(minutes=1)


def new_key() -> str:
    """A key: prefix, random characters, checksum. The form lets scanners find one that leaked."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return body + _checksum(body)


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def is_key(token: str) -> bool:
    """Whether this wants to be a key rather than an access token."""
    return token.startswith(PREFIX)


def well_formed(key: str) -> bool:
    """Whether a key can be one of ours: finds typing errors before the database is asked."""
    body, check = key[:-CHECK], key[-CHECK:]
    right_length = len(key) == len(PREFIX) + RANDOM + CHECK
    return right_length and key.isascii() and check == _checksum(body)


async def make(
    session: AsyncSession, actor: Actor, data: ApiKeyCreate, *, key_id: UUID | None = None
) -> ApiKeyMade:
    """A new key of a company that `actor` owns, with scopes that they have themselves.

    Raises NotFound, Forbidden, Conflict when the company has MOST keys, or one with this `key_id`.
    """
    company = await queries.get(session, data.company_id)
    await queries.require(session, actor, Right.MANAGE_KEYS, company.id)
    granted = frozenset(Scope(scope) for scope in data.scopes)
    if beyond := granted - actor.scopes:
        raise InsufficientScope(min(beyond))
    await _require_room(session, company.id)
    if key_id is not None and await session.get(ApiKey, key_id):
        raise Conflict(
            "This form has made its key already, and it was shown that one time. If you did not "
            "copy it, revoke it and make another.",
            code="key_made",
        )
    secret = new_key()
    days = data.expires_in_days
    key = ApiKey(
        id=key_id,
        company_id=company.id,
        name=data.name,
        scopes=scopes.written(granted),
        hint=secret[:SHOWN],
        token_hash=token_hash(secret),
        created_by=actor.id,
        expires_at=now() + timedelta(days=days) if days is not None else None,
    )
    session.add(key)
    await session.flush()
    _record(session, Action.KEY_MADE, actor.id, key)
    return ApiKeyMade(**dict(read(key, company.name, actor.full_name)), key=secret)


async def _require_room(session: AsyncSession, company_id: UUID) -> None:
    """Raise Conflict when there are enough. The company's row is locked: two cannot race."""
    await session.execute(select(Company.id).where(Company.id == company_id).with_for_update())
    living = select(func.count()).where(
        ApiKey.company_id == company_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
    )
    if (await session.scalar(living) or 0) >= MOST:
        raise Conflict(
            f"A company has at most {MOST} API keys. Revoke one that is not used.",
            code="too_many_keys",
        )


def _record(session: AsyncSession, action: Action, by: UUID | None, key: ApiKey) -> None:
    audit.record(
        session,
        action,
        person_id=by,
        subject=(Subject.COMPANY, key.company_id),
        details={"key": str(key.id), "scopes": key.scopes},
    )


def read(key: ApiKey, company: str, maker: str | None) -> ApiKeyRead:
    """The shape of a key, without its secret."""
    return ApiKeyRead(
        id=key.id,
        company_id=key.company_id,
        company_name=company,
        name=key.name,
        scopes=key.scopes.split(),
        hint=key.hint,
        created_by=maker,
        created_at=key.created_at,
        expires_at=key.expires_at,
        expired=key.expires_at is not None and key.expires_at <= now(),
        last_used_at=key.last_used_at,
    )


def visible_to(viewer: Actor) -> ColumnElement[bool]:
    """The keys of the companies that they own, and none to anyone else."""
    owned = select(CompanyMember.company_id).where(
        CompanyMember.person_id == viewer.id, CompanyMember.role == MemberRole.OWNER
    )
    return ApiKey.revoked_at.is_(None) & ApiKey.company_id.in_(owned)


async def list_keys(
    session: AsyncSession,
    actor: Actor,
    *,
    company_id: UUID | None = None,
    cursor: str | None,
    limit: int,
) -> Page[ApiKeyRead]:
    """The keys of the companies that `actor` owns, or of one of them, newest first."""
    statement = (
        select(ApiKey, Company.name, Person.full_name)
        .join(Company, Company.id == ApiKey.company_id)
        .outerjoin(Person, Person.id == ApiKey.created_by)
        .where(visible_to(actor))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
        .limit(limit + 1)
    )
    if company_id is not None:
        statement = statement.where(ApiKey.company_id == company_id)
    if before := read_moment_cursor(cursor):
        statement = statement.where(func.row(ApiKey.created_at, ApiKey.id) < func.row(*before))
    rows = (await session.execute(statement)).all()
    found, more = cut([read(key, company, maker) for key, company, maker in rows], limit)
    last = found[-1] if more else None
    return Page(
        items=list(found),
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def revoke(session: AsyncSession, actor: Actor, key_id: UUID) -> ApiKey:
    """End a key, for good and at once. Raises NotFound for one that is not theirs."""
    key = await session.scalar(
        select(ApiKey).where(ApiKey.id == key_id, visible_to(actor)).with_for_update()
    )
    if key is None:
        raise NotFound("There is no such API key.", code="key_not_found")
    await queries.require(session, actor, Right.MANAGE_KEYS, key.company_id)
    key.revoked_at = now()
    _record(session, Action.KEY_REVOKED, actor.id, key)
    await session.flush()
    return key


async def revoke_made_since(session: AsyncSession, person_id: UUID, moment: datetime) -> int:
    """End the keys that were made in a person's name while someone else had the account; how many.

    To the audit log it is the board that does it.
    """
    made = (ApiKey.created_by == person_id) & (ApiKey.created_at >= moment)
    found = await session.scalars(
        select(ApiKey).where(made, ApiKey.revoked_at.is_(None)).with_for_update()
    )
    keys = found.all()
    for key in keys:
        key.revoked_at = now()
        _record(session, Action.KEY_REVOKED, None, key)
    return len(keys)


async def actor_of(session: AsyncSession, token: str) -> Actor:
    """Whom a key acts for. Raises Unauthenticated, saying why, for one that is not good."""
    if not well_formed(token):
        raise _refused("This is not a whole API key: copy it again, every letter.", "key_malformed")
    row = (await session.execute(_known(token_hash(token)))).first()
    if row is None:
        raise _refused("There is no such API key.", "key_unknown")
    _require_good(row)
    key: ApiKey = row[0]
    if key.last_used_at is None or now() - key.last_used_at > USED_EVERY:
        await _note_use(session, key.id)
    return Actor(
        id=key.id,
        email="",
        full_name=key.name,
        role=Role.EMPLOYER,
        login_session_id=key.id,
        scopes=scopes.read(key.scopes) & scopes.OF_KEYS,
        company_id=key.company_id,
    )


def _known(hashed: bytes) -> Select[ApiKey, bool]:
    """A key, and whether somebody is there to answer for it."""
    someone = exists().where(
        CompanyMember.company_id == ApiKey.company_id,
        CompanyMember.role == MemberRole.OWNER,
        Person.id == CompanyMember.person_id,
        Person.suspended_at.is_(None),
    )
    shut_out = exists().where(
        Person.id == ApiKey.created_by, Person.suspended_at.is_not(None), Person.erased_at.is_(None)
    )
    return select(ApiKey, someone & ~shut_out).where(ApiKey.token_hash == hashed)


def _require_good(row: Row[ApiKey, bool]) -> None:
    key, someone = row
    if key.revoked_at is not None:
        raise _refused("This API key was revoked.", "key_revoked")
    if key.expires_at is not None and key.expires_at <= now():
        raise _refused("This API key has expired. Make a new one.", "key_expired")
    if not someone:
        raise _refused(
            "This API key rests: who made it, or every owner of its company, is suspended.",
            "key_rests",
        )


def _refused(message: str, code: str) -> Unauthenticated:
    return Unauthenticated(message, code=code)


async def _note_use(session: AsyncSession, key_id: UUID) -> None:
    """Once a minute at most; requests of the same moment do not wait for each other."""
    due = (
        select(ApiKey.id)
        .where(
            ApiKey.id == key_id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now() - USED_EVERY),
        )
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    await session.execute(
        update(ApiKey)
        .where(ApiKey.id == due)
        .values(last_used_at=now())
        .execution_options(synchronize_session=False)
    )
