"""The verbs of people: sign up, change, suspend."""

from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import keeping, passwords, queries, second_factor
from jobboard.accounts.links import drop as drop_links
from jobboard.accounts.links import queue_letter
from jobboard.accounts.logins import end_logins
from jobboard.accounts.models import LinkPurpose, Person, Role
from jobboard.accounts.schemas import Actor, PersonRead, PersonUpdate, Registration
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.errors import Conflict, Invalid, NotFound
from jobboard.notifications.service import notify
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.settings import Settings


def read(person: Person) -> PersonRead:
    """The shape of a person."""
    return PersonRead(
        id=person.id,
        email=person.email,
        email_verified=person.email_verified_at is not None,
        full_name=person.full_name,
        role=person.role,
        suspended=person.suspended_at is not None,
        time_zone=person.time_zone,
        created_at=person.created_at,
    )


async def password_hash(data: Registration, settings: Settings) -> str:
    """What `register` needs, made before it, while no connection is held. Raises Invalid."""
    return await _first_hash(data.password.get_secret_value(), data.email, data.full_name, settings)


async def _first_hash(password: str, email: str, full_name: str, settings: Settings) -> str:
    passwords.check_new_password(
        password, min_length=settings.password_min_length, about=(email, full_name)
    )
    return await passwords.hash_password(password)


async def register(
    session: AsyncSession, data: Registration, hashed: str, *, remind: bool = True
) -> PersonRead:
    """Make a candidate or an employer.

    An address that is taken gets the same answer, after the same statements, with an id of nobody:
    whether someone has an account is told only to the owner of the address, by mail, if `remind`.
    """
    person_id = (await session.scalars(select(func.uuidv7()))).one()
    made = await _create(
        session,
        person_id,
        email=data.email,
        full_name=data.full_name,
        hashed=hashed,
        role=Role(data.role),
    )
    if made:
        queue_letter(session, "welcome", person_id=person_id)
    elif remind:  # the worker looks up whose it is
        queue_letter(session, "account_exists", email=data.email)
    await session.flush()
    return PersonRead(
        id=person_id,
        email=data.email,
        email_verified=False,
        full_name=data.full_name,
        role=Role(data.role),
        suspended=False,
        time_zone=None,
        created_at=now(),
    )


async def create_admin(
    session: AsyncSession, settings: Settings, *, email: str, full_name: str, password: str
) -> PersonRead:
    """Make an admin, for the command line only, who needs not verify the address.

    Raises Conflict when the address is taken.
    """
    hashed = await _first_hash(password, email, full_name, settings)
    person_id = (await session.scalars(select(func.uuidv7()))).one()
    if not await _create(
        session, person_id, email=email, full_name=full_name, hashed=hashed, role=Role.ADMIN
    ):
        raise Conflict("There is an account with this e-mail address already.", code="email_taken")
    person = await get_account(session, person_id)
    person.email_verified_at = now()
    await session.flush()
    audit.record(session, Action.ADMIN_CREATED, person_id=None, subject=(Subject.PERSON, person.id))
    return read(person)


async def _create(
    session: AsyncSession, person_id: UUID, *, email: str, full_name: str, hashed: str, role: Role
) -> bool:
    """A new account, or False when the address is taken, which the unique index decides, or kept.

    The latter is asked after: an account may be leaving the address at this moment.
    """
    new = insert(Person).values(
        id=person_id, email=email, full_name=full_name, password_hash=hashed, role=role
    )
    try:
        async with session.begin_nested():
            made = await session.scalar(new.on_conflict_do_nothing().returning(Person.id))
            if await keeping.kept_until(session, email):
                raise _KeptError
            return made is not None
    except _KeptError:
        return False


class _KeptError(Exception):
    """The address is kept for another account: undo what was made."""


async def get(session: AsyncSession, person_id: UUID) -> PersonRead:
    """One person, or NotFound."""
    return read(await get_account(session, person_id))


async def get_to_change(session: AsyncSession, person_id: UUID) -> PersonRead:
    """The same, and nobody else changes them until the transaction ends."""
    locked = select(Person).where(Person.id == person_id).with_for_update()
    await session.execute(locked.execution_options(populate_existing=True))
    return await get(session, person_id)


async def get_account(session: AsyncSession, person_id: UUID) -> Person:
    """The same as its row, for `new_password_hash`."""
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.", code="person_not_found")
    return person


async def new_password_hash(person: Person, data: PersonUpdate, settings: Settings) -> str | None:
    """What `update_me` needs to know, made before it, while no connection is held.

    None without a new password. Raises Invalid for a wrong current or a weak new one.
    """
    if data.new_password is None:
        return None
    await require_password(person, data.current_password)
    new = data.new_password.get_secret_value()
    passwords.check_new_password(
        new,
        min_length=settings.password_min_length,
        about=(person.email, person.full_name),
        field="new_password",
    )
    return await passwords.hash_password(new)


async def require_password(person: Person, password: SecretStr | None) -> None:
    """Raise Invalid unless it is their current password. Hold no connection meanwhile."""
    current = password.get_secret_value() if password else ""
    if not await passwords.verify_password(current, person.password_hash):
        raise Invalid.field("current_password", "This is not your current password.")


async def update_me(
    session: AsyncSession, actor: Actor, data: PersonUpdate, *, new_hash: str | None = None
) -> PersonRead:
    """Change name, time zone, or password by its hash. A new password ends every other log-in."""
    person = await get_account(session, actor.id)
    if data.full_name is not None:
        person.full_name = data.full_name
    if data.time_zone is not None:
        person.time_zone = data.time_zone
    if new_hash is not None:
        person.password_hash = new_hash
        await end_logins(session, person.id, but=actor.login_session_id)
        audit.record(session, Action.PASSWORD_CHANGED, person_id=actor.id)
        # A move may have been asked for by an intruder who knew the old one.
        await drop_links(session, person.id, LinkPurpose.RESET, LinkPurpose.CHANGE)
        await second_factor.forget_begun(session, person.id)
        notify(session, person.id, "password_changed", {})
    await session.flush()
    return read(person)


async def list_people(
    session: AsyncSession, *, q: str | None, cursor: str | None, limit: int
) -> Page[PersonRead]:
    """Everyone, newest first; `q` is part of a name or an address. For admins."""
    statement = queries.people(before=read_moment_cursor(cursor), limit=limit, q=q)
    found, more = cut((await session.scalars(statement)).all(), limit)
    last = found[-1] if more else None
    return Page(
        items=[read(person) for person in found],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def set_suspended(
    session: AsyncSession,
    actor: Actor,
    person_id: UUID,
    *,
    suspended: bool,
    reason: str | None = None,
) -> PersonRead:
    """Shut someone out, or let them back in.

    Raises Conflict for oneself, for who is erased, and for the last admin.
    """
    if person_id == actor.id:
        raise Conflict("You cannot suspend yourself.", code="own_account")
    person = await get_account(session, person_id)
    require_not_erased(person)
    if suspended and person.role is Role.ADMIN:
        await keep_an_admin(session, person_id)
    person.suspended_at = (person.suspended_at or now()) if suspended else None
    person.suspension_reason = (reason or person.suspension_reason) if suspended else None
    if suspended:
        await end_logins(session, person_id)
    done = Action.PERSON_SUSPENDED if suspended else Action.PERSON_RESTORED
    audit.record(session, done, person_id=actor.id, subject=(Subject.PERSON, person_id))
    await session.flush()
    return read(person)


def require_not_erased(person: Person) -> None:
    """Raise Conflict for the line that an erased person leaves: it must not come to life again."""
    if person.erased_at is not None:
        raise Conflict("This account is erased, and its person is gone.", code="person_erased")


async def keep_an_admin(session: AsyncSession, leaving: UUID) -> None:
    """Refuse to lose the last one. Their rows are locked: two may try to shut each other out."""
    active = select(Person.id).where(Person.role == Role.ADMIN, Person.suspended_at.is_(None))
    admins = await session.scalars(active.order_by(Person.id).with_for_update())
    if not set(admins) - {leaving}:
        raise Conflict(
            "This is the board's last moderator. Make another one first.", code="last_admin"
        )
