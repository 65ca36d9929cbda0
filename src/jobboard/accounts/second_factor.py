"""The verbs of the second step of a log-in: set it up, renew the recovery codes, turn it off."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import codes
from jobboard.accounts.logins import end_logins
from jobboard.accounts.models import RecoveryCode, SecondFactor
from jobboard.accounts.schemas import Actor, Enrolment, SecondFactorRead
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.errors import Conflict
from jobboard.notifications.service import notify
from jobboard.settings import Settings

SALT_BYTES = 20
SHORTLY = timedelta(days=7)


class Undone(StrEnum):
    """What became of two-step log-in when an owner took an account back."""

    NONE = ""  # there was none
    OFF = "off"
    STAYS = "stays"


async def read(session: AsyncSession, person_id: UUID) -> SecondFactorRead:
    """Whether this person has a second step, and how many recovery codes are left."""
    enabled_at = await session.scalar(
        select(SecondFactor.confirmed_at).where(SecondFactor.person_id == person_id)
    )
    return SecondFactorRead(
        enabled=enabled_at is not None,
        enabled_at=enabled_at,
        recovery_codes_left=await codes.recovery_codes_left(session, person_id),
    )


async def begin(session: AsyncSession, actor: Actor, settings: Settings) -> Enrolment:
    """A new key for the person's app; it counts once `confirm` saw a code of it.

    Raises Conflict when there is a second step already.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    statement = insert(SecondFactor).values(person_id=actor.id, salt=salt)
    began = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=[SecondFactor.person_id],
            set_={"salt": salt, "last_step": None},
            where=SecondFactor.confirmed_at.is_(None),
        ).returning(SecondFactor.person_id)
    )
    if began is None:
        raise Conflict(
            "Two-step log-in is on already. Turn it off first to use another app.",
            code="second_factor_on",
        )
    return _enrolment(actor, salt, settings)


async def begun(session: AsyncSession, actor: Actor, settings: Settings) -> Enrolment | None:
    """The key that waits for its first code, to show it once more; None without one."""
    statement = select(SecondFactor.salt).where(
        SecondFactor.person_id == actor.id, SecondFactor.confirmed_at.is_(None)
    )
    salt = await session.scalar(statement)
    return None if salt is None else _enrolment(actor, salt, settings)


def _enrolment(actor: Actor, salt: bytes, settings: Settings) -> Enrolment:
    totp = codes.totp(actor.id, salt, settings)
    uri = totp.provisioning_uri(name=actor.email, issuer_name=settings.board_name)
    return Enrolment(secret=totp.secret, uri=uri)


async def confirm(session: AsyncSession, actor: Actor, code: str, settings: Settings) -> list[str]:
    """Turn the second step on with a first code; every other log-in ends. The recovery codes.

    Raises Conflict without an enrolment that was begun, Invalid for a wrong code.
    """
    factor = await session.get(SecondFactor, actor.id, with_for_update=True)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("Begin to set up two-step log-in first.", code="second_factor_not_begun")
    step = codes.step_of(codes.totp(actor.id, factor.salt, settings), codes.plain_code(code))
    if step is None:
        raise codes.wrong_code()
    factor.confirmed_at, factor.last_step = now(), step
    await session.flush()
    await end_logins(session, actor.id, but=actor.login_session_id)
    audit.record(session, Action.SECOND_FACTOR_ON, person_id=actor.id)
    notify(session, actor.id, "second_factor_on", {})
    return await codes.new_recovery_codes(session, actor.id, settings)


async def renew(session: AsyncSession, actor: Actor, code: str, settings: Settings) -> list[str]:
    """New recovery codes; the old ones work no longer. Raises Invalid for a wrong code."""
    await codes.require_code(session, actor.id, code, settings)
    audit.record(session, Action.RECOVERY_CODES_RENEWED, person_id=actor.id)
    return await codes.new_recovery_codes(session, actor.id, settings)


async def turn_off(session: AsyncSession, actor: Actor, code: str, settings: Settings) -> None:
    """Log in with the password alone again. Raises Invalid for a wrong code.

    Raises Conflict for an admin where the board wants a second step of admins.
    """
    if actor.is_admin and settings.admins_need_second_factor:
        raise Conflict(
            "Admins of this board need two-step log-in. You can make new recovery codes instead.",
            code="second_factor_required",
        )
    await codes.require_code(session, actor.id, code, settings)
    await remove(session, actor.id, by=actor.id)


async def remove(session: AsyncSession, person_id: UUID, *, by: UUID | None) -> None:
    """Forget key and recovery codes, and tell the person. `by` None is the command line."""
    await _forget(session, person_id, by=by)
    notify(session, person_id, "second_factor_off", {})


async def _forget(session: AsyncSession, person_id: UUID, *, by: UUID | None) -> None:
    await session.execute(delete(SecondFactor).where(SecondFactor.person_id == person_id))
    await session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    about = (Subject.PERSON, person_id)
    audit.record(session, Action.SECOND_FACTOR_OFF, person_id=by, subject=about)


async def forget_begun(session: AsyncSession, person_id: UUID) -> None:
    """Drop a key that waits for its first code: someone who is out now may have seen it."""
    begun = (SecondFactor.person_id == person_id) & SecondFactor.confirmed_at.is_(None)
    await session.execute(delete(SecondFactor).where(begun))


async def undo_since(session: AsyncSession, person_id: UUID, moment: datetime) -> Undone:
    """For an owner who takes the account back: turn off what was turned on since or SHORTLY before.

    Someone who takes an account over sets that up first: it ends the owner's log-ins. What is
    older stays, because whoever has the old mailbox may be the thief.
    """
    await forget_begun(session, person_id)
    factor = await session.get(SecondFactor, person_id, with_for_update=True)
    if factor is None or factor.confirmed_at is None:
        return Undone.NONE
    if factor.confirmed_at < moment - SHORTLY:
        return Undone.STAYS
    await _forget(session, person_id, by=person_id)
    return Undone.OFF
