"""Links by mail: verify an address, set a new password, change an address, undo that.

A request only queues a letter; the worker makes the token when it sends it. So no token is ever
at rest but as its hash, not even in the outbox, and a request does the same whoever it is about.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import DateTime, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import keeping, queries, tokens
from jobboard.accounts.models import EmailLink, LinkPurpose, Person
from jobboard.clock import now
from jobboard.errors import Invalid
from jobboard.infra.queue import Message, enqueue, still_waits
from jobboard.notifications import blocks

LETTER = "accounts.letter"  # the message's kind; its payload: {kind, person_id or email, ...}

LIVES = {
    LinkPurpose.VERIFY: timedelta(hours=6),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.CHANGE: timedelta(hours=6),
    LinkPurpose.UNDO: timedelta(days=7),  # the owner may not read mail every day
}
# Kinds of letters with a link to an address that is not, or no longer, the account's.
LETTERS = {LinkPurpose.CHANGE: "email_change", LinkPurpose.UNDO: "email_changed"}
PAGES = {
    LinkPurpose.VERIFY: "/verify-email",
    LinkPurpose.RESET: "/reset-password",
    LinkPurpose.CHANGE: "/change-email",
    LinkPurpose.UNDO: "/undo-change-email",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to write: `kind` names the template. `path` is the link in it, without the host."""

    kind: str
    name: str
    email: str
    data: dict[str, Any] = field(default_factory=dict)
    path: str = ""


def queue_letter(session: AsyncSession, kind: str, **about: str | UUID) -> None:
    """Have a letter written and sent, if and only if this transaction commits."""
    payload = {"kind": kind} | {name: str(value) for name, value in about.items()}
    enqueue(session, LETTER, payload)


async def write(session: AsyncSession, message: Message) -> Letter | None:
    """The letter that was queued, with a new token; None when there is nobody to write to, or it
    was taken back."""
    payload: dict[str, str] = message.payload
    if payload["kind"] == "password_reset":
        return await _write_reset(session, payload["email"])
    if payload["kind"] == "account_exists":
        return await _write_taken(session, payload["email"])
    person = await _lock(session, UUID(payload["person_id"]))
    if person is None or not await still_waits(session, message.id):
        return None
    if payload["kind"] == "email_change":
        return await _write_change(session, person, payload["email"])
    if payload["kind"] == "email_changed":
        return _write_changed(session, person, payload)
    if payload["kind"] == "account_regained":
        return _write_regained(session, person, payload)
    if person.email_verified_at is not None:
        return None
    link = _link(session, person, LinkPurpose.VERIFY, person.email)
    return Letter(payload["kind"], person.full_name, person.email, path=link)


async def _lock(session: AsyncSession, person_id: UUID) -> Person | None:
    """Nobody is erased while a link is made for them, and nobody who is erased gets one."""
    statement = select(Person).where(Person.id == person_id, Person.erased_at.is_(None))
    locked = statement.with_for_update(read=True, key_share=True)
    return await session.scalar(locked.execution_options(populate_existing=True))


async def _write_reset(session: AsyncSession, email: str) -> Letter | None:
    found = await queries.by_email(session, email)
    person = await _lock(session, found.id) if found else None
    if person is None or person.suspended_at is not None:
        return None
    link = _link(session, person, LinkPurpose.RESET, person.email)
    return Letter("password_reset", person.full_name, person.email, path=link)


async def _write_change(session: AsyncSession, person: Person, email: str) -> Letter:
    if taken := await _write_taken(session, email, but=person.id):
        return taken
    link = _link(session, person, LinkPurpose.CHANGE, email)
    return Letter("email_change", person.full_name, email, path=link)


def _write_changed(session: AsyncSession, person: Person, payload: dict[str, str]) -> Letter:
    changed_at = datetime.fromisoformat(payload["changed_at"])
    link = _link(session, person, LinkPurpose.UNDO, payload["email"], created_at=changed_at)
    data = {"new_email": person.email}
    return Letter("email_changed", person.full_name, payload["email"], data, link)


def _write_regained(
    session: AsyncSession, person: Person, payload: dict[str, str]
) -> Letter | None:
    if person.suspended_at is not None:
        return None
    link = _link(session, person, LinkPurpose.RESET, person.email)
    return Letter("account_regained", person.full_name, person.email, dict(payload), link)


async def _write_taken(
    session: AsyncSession, email: str, *, but: UUID | None = None
) -> Letter | None:
    """To the owner of an address that somebody else, or they themselves, wanted to use."""
    owner = await queries.by_email(session, email)
    if owner is not None:
        told = Letter("account_exists", owner.full_name, owner.email)
        return None if owner.id == but else told
    until = await keeping.kept_until(session, email, but=but)
    # Without a name: the mailbox may be another's by now.
    return Letter("address_kept", "", email, {"until": f"{until:%-d %B %Y}"}) if until else None


def _link(
    session: AsyncSession,
    person: Person,
    purpose: LinkPurpose,
    email: str,
    *,
    created_at: datetime | None = None,
) -> str:
    """Keep the hash of a new token; the path that holds the token itself.

    An UNDO is created when the address was changed, however late its letter is written.
    """
    token = tokens.new_token()
    link = EmailLink(
        token_hash=tokens.token_hash(token),
        person_id=person.id,
        purpose=purpose,
        email=email,
        created_at=created_at or now(),
        expires_at=now() + LIVES[purpose],
    )
    session.add(link)
    return f"{PAGES[purpose]}?{urlencode({'token': token})}"


async def peek(session: AsyncSession, token: str, *purposes: LinkPurpose) -> EmailLink:
    """The link that this token opens, still unused. Raises Invalid."""
    statement = select(EmailLink).where(
        EmailLink.token_hash == tokens.token_hash(token),
        EmailLink.purpose.in_(purposes),
        EmailLink.expires_at > now(),
    )
    link = await session.scalar(statement)
    if link is None:
        raise dead_link()
    return link


async def redeem(session: AsyncSession, token: str, purpose: LinkPurpose) -> EmailLink:
    """Use a link up; of two at once, one. Its siblings of the same purpose go too.

    An UNDO takes along only those of later changes: a thief who moves an account twice, and undoes
    the second move, must not use up what its owner was mailed about the first.
    """
    link = await session.scalar(
        delete(EmailLink)
        .where(
            EmailLink.token_hash == tokens.token_hash(token),
            EmailLink.purpose == purpose,
            EmailLink.expires_at > now(),
        )
        .returning(EmailLink)
    )
    if link is None:
        raise dead_link()
    await blocks.unblock(session, link.email)  # which someone reads, as this shows
    await drop(
        session,
        link.person_id,
        purpose,
        since=link.created_at if purpose is LinkPurpose.UNDO else None,
    )
    return link


async def drop(
    session: AsyncSession,
    person_id: UUID,
    *purposes: LinkPurpose,
    since: datetime | None = None,
) -> None:
    """Make every link of these purposes useless, or those made `since`, and take back the letters
    that are still to be sent, again perhaps: each would make another link."""
    await _take_back(session, person_id, purposes, since)
    gone = delete(EmailLink).where(
        EmailLink.person_id == person_id, EmailLink.purpose.in_(purposes)
    )
    if since is not None:
        gone = gone.where(EmailLink.created_at >= since)
    await session.execute(gone)


async def _take_back(
    session: AsyncSession,
    person_id: UUID,
    purposes: tuple[LinkPurpose, ...],
    since: datetime | None,
) -> None:
    """Only those that go to another address than the account's: the others open it to its owner."""
    kinds = [LETTERS[purpose] for purpose in purposes if purpose in LETTERS]
    if not kinds:
        return
    # First of all the person, as `_lock` does for a letter: neither waits for the other.
    await session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    waiting = (
        delete(Message)
        .where(
            Message.kind == LETTER,
            Message.done_at.is_(None),
            Message.payload["person_id"].astext == str(person_id),
            Message.payload["kind"].astext.in_(kinds),
        )
        .execution_options(synchronize_session=False)
    )
    if since is not None:
        asked_at = Message.payload["changed_at"].astext.cast(DateTime(timezone=True))
        waiting = waiting.where(asked_at >= since)
    await session.execute(waiting)


def dead_link() -> Invalid:
    """What to raise for a link that opens nothing, whatever the reason."""
    return Invalid.field(
        "token",
        "This link was used before, is too old, or is incomplete. Ask for a new one.",
        code="link_invalid",
    )


async def forget_expired(session: AsyncSession) -> None:
    """Delete the links that nobody used in time."""
    await session.execute(delete(EmailLink).where(EmailLink.expires_at < now()))
