"""The people of the demo board: three log-ins that are printed, and candidates without one."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person, Role
from jobboard.accounts.passwords import UNUSABLE, hash_password
from jobboard.clock import now

PASSWORD = "look-around-first"
CANDIDATE = "candidate@example.com"
EMPLOYER = "employer@example.com"
ADMIN = "admin@example.com"
LOGINS = (
    (CANDIDATE, "Noor Lindqvist", Role.CANDIDATE),
    (EMPLOYER, "Robin Achterberg", Role.EMPLOYER),
    (ADMIN, "Alex Moreau", Role.ADMIN),
)
OTHERS = (
    ("jonah.mbeki@example.org", "Jonah Mbeki", Role.CANDIDATE),
    ("ilse.vantongeren@example.org", "Ilse van Tongeren", Role.CANDIDATE),
    ("marek.dolny@example.org", "Marek Dolny", Role.CANDIDATE),
    ("aylin.kaya@example.org", "Aylin Kaya", Role.CANDIDATE),
    ("peter.holmgaard@example.org", "Peter Holmgaard", Role.CANDIDATE),
    ("beatriz.sarmento@example.org", "Beatriz Sarmento", Role.CANDIDATE),
    ("sunniva.brekke@example.org", "Sunniva Brekke", Role.CANDIDATE),
    ("tomasz.wrobel@example.org", "Tomasz Wróbel", Role.CANDIDATE),
)


@dataclass(frozen=True, slots=True)
class DemoLogins:
    """What the command prints: three addresses and the password that they share."""

    candidate: str = CANDIDATE
    employer: str = EMPLOYER
    admin: str = ADMIN
    password: str = PASSWORD


async def people(session: AsyncSession) -> dict[str, UUID]:
    """Everyone's id by address; who is missing is made."""
    known = await _known(session)
    rows = [
        {
            "email": email,
            "email_verified_at": now(),
            "full_name": name,
            "role": role,
            "password_hash": UNUSABLE,
        }
        for email, name, role in (*LOGINS, *OTHERS)
        if email not in known
    ]
    if not rows:
        return known
    hashed = await hash_password(PASSWORD)
    for row in rows:
        if row["email"] in (CANDIDATE, EMPLOYER, ADMIN):
            row["password_hash"] = hashed
    await session.execute(insert(Person), rows)
    return await _known(session)


async def _known(session: AsyncSession) -> dict[str, UUID]:
    addresses = [email for email, *_ in (*LOGINS, *OTHERS)]
    rows = await session.execute(
        select(Person.email, Person.id).where(func.lower(Person.email).in_(addresses))
    )
    return {email.lower(): person_id for email, person_id in rows}
