"""The verbs of e-mail addresses: verify, change, undo the change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import keeping, links, second_factor
from jobboard.accounts.links import queue_letter
from jobboard.accounts.logins import end_logins, require_not_suspended
from jobboard.accounts.models import LinkPurpose, Person
from jobboard.accounts.passwords import UNUSABLE
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action
from jobboard.clock import now
from jobboard.errors import Conflict, Invalid


def ask_to_verify(session: AsyncSession, actor: Actor) -> None:
    """Mail the link once more. Who is verified already gets none."""
    queue_letter(session, "verify_email", person_id=actor.id)


async def verify(session: AsyncSession, token: str) -> None:
    """The address of this link is read by its person. Raises Invalid for a dead link."""
    link = await links.redeem(session, token, LinkPurpose.VERIFY)
    person = await session.get_one(Person, link.person_id)
    if person.email == link.email and person.email_verified_at is None:  # not changed since
        person.email_verified_at = now()
        audit.record(session, Action.EMAIL_VERIFIED, person_id=person.id)


def ask_to_change(session: AsyncSession, actor: Actor, email: str) -> None:
    """Mail a link to the new address. Nothing changes before it is opened.

    An address that has an account gets the same answer; its owner is told. Raises Invalid for the
    address that the person has.
    """
    if email.lower() == actor.email.lower():
        raise Invalid.field("email", "This is your address already.")
    queue_letter(session, "email_change", person_id=actor.id, email=email)


async def change(session: AsyncSession, token: str) -> None:
    """Take the new address. The old one is told, with a link to undo it.

    Raises Invalid for a dead link, Forbidden for who was suspended, Conflict when someone took the
    address meanwhile.
    """
    link = await links.redeem(session, token, LinkPurpose.CHANGE)
    person = await session.get_one(Person, link.person_id, with_for_update=True)
    require_not_suspended(person)
    if await keeping.kept_until(session, link.email, but=person.id):
        raise _taken()
    old, person.email, person.email_verified_at = person.email, link.email, now()
    try:
        await session.flush()
    except IntegrityError:
        raise _taken() from None
    await links.drop(session, person.id, LinkPurpose.VERIFY, LinkPurpose.RESET)
    audit.record(session, Action.EMAIL_CHANGED, person_id=person.id)
    at = now()
    keeping.leave(session, person.id, old, at)
    told = {"email": old, "changed_at": at.isoformat()}
    queue_letter(session, "email_changed", person_id=person.id, **told)


def _taken() -> Conflict:
    return Conflict("There is an account with this e-mail address already.", code="email_taken")


@dataclass(frozen=True, slots=True)
class Undone:
    """Whose change was undone, when that was, and what became of two-step log-in."""

    person_id: UUID
    since: datetime
    second_factor: second_factor.Undone


async def undo_change(session: AsyncSession, token: str) -> Undone:
    """Go back to the old address, for an owner whose account someone else uses.

    Whoever changed the address knew the password: so it works no longer, every log-in ends, and so
    does a two-step log-in that was set up since or shortly before. Raises Invalid for a dead link.
    """
    link = await links.redeem(session, token, LinkPurpose.UNDO)
    person = await session.get_one(Person, link.person_id, with_for_update=True)
    person.email, person.email_verified_at = link.email, now()
    person.password_hash = UNUSABLE
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict(
            "Another account has this address by now. Write to the people who run this board.",
            code="email_taken",
        ) from None
    await keeping.release(session, person.id, link.created_at)
    await end_logins(session, person.id)
    await links.drop(session, person.id, *set(LinkPurpose) - {LinkPurpose.UNDO})
    audit.record(session, Action.EMAIL_CHANGE_UNDONE, person_id=person.id)
    since = link.created_at
    factor = await second_factor.undo_since(session, person.id, since)
    return Undone(person.id, since, factor)
