"""Codes of the second step: of an authenticator app (TOTP), and for recovery. Each works once.

TOTP as in RFC 6238, with its defaults, which every app knows: SHA-1, 30 seconds, six digits; one
step early or late is forgiven (section 5.2). Secrets are not stored: each is derived from the
board's secret key and a random salt, so that the database alone makes no code. A new secret key
therefore ends all enrolments.
"""

import base64
import hmac
import secrets
from uuid import UUID

import pyotp
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import RecoveryCode, SecondFactor
from jobboard.accounts.tokens import derived
from jobboard.audit import service as audit
from jobboard.audit.models import Action
from jobboard.clock import now
from jobboard.errors import Invalid
from jobboard.notifications.service import notify
from jobboard.settings import Settings

STEP_SECONDS = 30
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks like another: i l o 0 1
GROUPS, GROUP = 3, 4  # 31 ** 12: 59 bits, kept as a keyed hash


def totp(person_id: UUID, salt: bytes, settings: Settings) -> pyotp.TOTP:
    """What the person's app holds: 160 bits (RFC 4226, section 4)."""
    key = derived(settings, "totp", person_id.bytes + salt)[:20]
    return pyotp.TOTP(base64.b32encode(key).decode(), interval=STEP_SECONDS)


def step_of(app: pyotp.TOTP, code: str) -> int | None:
    """The time step that a code belongs to, of those that are still taken."""
    current = int(now().timestamp()) // STEP_SECONDS
    steps = (current, current - 1, current + 1)
    expected = ((step, app.generate_otp(step).encode()) for step in steps)
    matching = [step for step, each in expected if hmac.compare_digest(each, code.encode())]
    return matching[0] if matching else None


async def is_on(session: AsyncSession, person_id: UUID) -> bool:
    """Whether a log-in of this person takes a second step."""
    confirmed = (SecondFactor.person_id == person_id) & SecondFactor.confirmed_at.is_not(None)
    return await session.scalar(select(SecondFactor.person_id).where(confirmed)) is not None


async def recovery_codes_left(session: AsyncSession, person_id: UUID) -> int:
    """How many are unused."""
    left = select(func.count()).where(RecoveryCode.person_id == person_id)
    return (await session.scalars(left)).one()


async def require_code(
    session: AsyncSession, person_id: UUID, code: str, settings: Settings
) -> None:
    """Use up a code of the app, or a recovery code. Raises Invalid, without saying which."""
    plain = plain_code(code)
    if not (
        await _spend_totp(session, person_id, plain, settings)
        or await _spend_recovery_code(session, person_id, plain, settings)
    ):
        raise wrong_code()


async def _spend_totp(
    session: AsyncSession, person_id: UUID, code: str, settings: Settings
) -> bool:
    """A code of the app works once: its step must be later than that of the last one."""
    confirmed = (SecondFactor.person_id == person_id) & SecondFactor.confirmed_at.is_not(None)
    salt = await session.scalar(select(SecondFactor.salt).where(confirmed))
    step = None if salt is None else step_of(totp(person_id, salt, settings), code)
    if step is None:
        return False
    spent = await session.scalar(
        update(SecondFactor)
        .where(confirmed, or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step))
        .values(last_step=step)
        .returning(SecondFactor.person_id)
    )
    return spent is not None


async def _spend_recovery_code(
    session: AsyncSession, person_id: UUID, code: str, settings: Settings
) -> bool:
    hashed = _recovery_hash(person_id, code, settings)
    gone = await session.scalar(
        delete(RecoveryCode)
        .where(RecoveryCode.code_hash == hashed)
        .returning(RecoveryCode.person_id)
    )
    if gone is None:
        return False
    audit.record(session, Action.RECOVERY_CODE_USED, person_id=person_id)
    left = await recovery_codes_left(session, person_id)
    notify(session, person_id, "recovery_code_used", {"left": left})
    return True


async def new_recovery_codes(
    session: AsyncSession, person_id: UUID, settings: Settings
) -> list[str]:
    """Ten new ones instead of all before; shown once, kept hashed."""
    codes = [_random_code() for _ in range(RECOVERY_CODES)]
    rows = [
        {"person_id": person_id, "code_hash": _recovery_hash(person_id, plain_code(code), settings)}
        for code in codes
    ]
    await session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    await session.execute(insert(RecoveryCode), rows)
    return codes


def _random_code() -> str:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)


def _recovery_hash(person_id: UUID, plain: str, settings: Settings) -> bytes:
    return derived(settings, "recovery", person_id.bytes + plain.encode())


def plain_code(code: str) -> str:
    """As it was typed from a screen or from paper: without spaces and dashes, in any case."""
    return code.replace(" ", "").replace("-", "").lower()


def wrong_code() -> Invalid:
    """One answer, whatever is wrong with it."""
    return Invalid.field(
        "code",
        "This code is not right, or was used before. Wait for the next one in your app.",
        code="code_invalid",
    )
