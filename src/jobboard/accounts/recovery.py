"""The verbs of forgotten passwords."""

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import links, passwords, second_factor
from jobboard.accounts.logins import end_logins, require_not_suspended
from jobboard.accounts.models import LinkPurpose, Person
from jobboard.audit import service as audit
from jobboard.audit.models import Action
from jobboard.clock import now
from jobboard.notifications.service import notify
from jobboard.settings import Settings


def ask_to_reset(session: AsyncSession, email: str) -> None:
    """Have a link mailed to this address, if it has an account: the worker finds out.

    So the answer is the same, in the same time, for everyone.
    """
    links.queue_letter(session, "password_reset", email=email)


async def person_of_link(session: AsyncSession, token: str) -> Person:
    """Whose password a link may set. Raises Invalid for a dead one, Forbidden if suspended."""
    link = await links.peek(session, token, LinkPurpose.RESET)
    person = await session.get_one(Person, link.person_id)
    require_not_suspended(person)
    return person


async def new_hash(person: Person, password: str, settings: Settings) -> str:
    """The hash of a new password, made while no connection is held. Raises Invalid."""
    passwords.check_new_password(
        password, min_length=settings.password_min_length, about=(person.email, person.full_name)
    )
    return await passwords.hash_password(password)


async def reset(session: AsyncSession, token: str, hashed: str) -> None:
    """Set the new password, and end every log-in. The link proves the address, too.

    Raises Invalid when the link was used meanwhile, Forbidden for who was suspended.
    """
    link = await links.redeem(session, token, LinkPurpose.RESET)
    person = await session.get_one(Person, link.person_id, with_for_update=True)
    require_not_suspended(person)
    person.password_hash = hashed
    if person.email == link.email:  # not changed since
        person.email_verified_at = person.email_verified_at or now()
    await end_logins(session, person.id)
    await links.drop(session, person.id, LinkPurpose.CHANGE)  # perhaps asked for by an intruder
    await second_factor.forget_begun(session, person.id)  # whose key one may have seen
    audit.record(session, Action.PASSWORD_RESET, person_id=person.id)
    notify(session, person.id, "password_changed", {})
