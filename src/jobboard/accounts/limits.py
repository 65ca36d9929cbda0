"""How often what can be guessed or mailed may be tried. Redis counts; see `infra/limiter.py`."""

from uuid import UUID

from jobboard.errors import RateLimited
from jobboard.infra.limiter import Limiter

PASSWORD = "10/5minutes"  # one's current password, typed again: a stolen log-in must not guess it
CODE = "5/15minutes"  # of the second step: a thief of the password has a 1 in 700 chance a day
LINKS = "5/day"  # mails with a link, to one address for each purpose
INVITATIONS = "100/day"  # by one person, for all their companies
# Someone who guesses must not fill the disk with entries of the audit log. Counted alike for every
# address that is tried, with or without an account, so that the time of an answer tells nothing.
FAILURES = "20/hour"  # for one address: enough to see that it happens
ALL_FAILURES = "2000/hour"
EXPORTS = "20/hour"
ADDRESS_RESET = "300/hour"  # by whoever asks from one address, for whomever


async def hit_password(limiter: Limiter, person_id: UUID) -> None:
    """Count a try of the current password. Raises RateLimited."""
    await limiter.hit("current-password", PASSWORD, str(person_id))


async def hit_code(limiter: Limiter, person_id: UUID) -> None:
    """Count a try of a code. By person alone: only who knows the password gets here."""
    await limiter.hit("code", CODE, str(person_id))


async def hit_export(limiter: Limiter, person_id: UUID) -> None:
    """Count an archive of one's data: it reads all of it, and is told. Raises RateLimited."""
    await limiter.hit("export", EXPORTS, str(person_id))


async def hit_invitation(limiter: Limiter, person_id: UUID) -> None:
    """Count a mail to someone who may know nothing of us. Raises RateLimited."""
    await limiter.hit("invitation", INVITATIONS, str(person_id))


async def may_tell_failure(limiter: Limiter, email: str) -> bool:
    """Whether the audit log may hear of one more refused log-in with this address."""
    try:
        await limiter.hit("failed-login", FAILURES, email.strip().lower())
        await limiter.hit("failed-logins", ALL_FAILURES)
    except RateLimited:
        return False
    return True


async def hit_reset(limiter: Limiter, address: str) -> None:
    """Count a forgotten password by who asks. Raises RateLimited."""
    await limiter.hit("reset-address", ADDRESS_RESET, address)


async def may_mail(limiter: Limiter, purpose: str, email: str) -> bool:
    """Whether one more mail may go to this address today."""
    try:
        await limiter.hit(f"mail-{purpose}", LINKS, email.strip().lower())
    except RateLimited:
        return False
    return True
