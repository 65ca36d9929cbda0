"""Telling the audit log, in the transaction of what is told: both are there, or neither is."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.audit.models import Action, AuditEntry, Subject
from jobboard.clock import now

# Someone who guesses passwords must not fill the disk: so many failures an hour are written down
# for each account, and so many for all addresses without one. Enough to see that it happens.
FAILURES = 20
FAILURES_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from; empty for the command line and the worker."""

    address: str = ""  # the network, never the whole address
    request_id: str = ""


NOWHERE = Origin()
origin: ContextVar[Origin] = ContextVar("origin")  # the middleware sets it


def record(
    session: AsyncSession,
    action: Action,
    *,
    person_id: UUID | None,
    key_id: UUID | None = None,
    subject: tuple[Subject, UUID] | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Tell that `person_id` did this to `subject`, if and only if this transaction commits.

    `details` are a few plain JSON values: codes, counts, ids; never a name, an address or a
    secret, because no row is ever erased.
    """
    kind, subject_id = subject or (None, None)
    here = origin.get(NOWHERE)
    session.add(
        AuditEntry(
            person_id=person_id,
            key_id=key_id,
            action=action,
            subject_kind=kind,
            subject_id=subject_id,
            details=dict(details or {}),
            address=here.address,
            request_id=here.request_id,
        )
    )


async def record_failed_login(session: AsyncSession, person_id: UUID | None) -> None:
    """Tell that someone did not get in, as long as FAILURES allows it.

    The same statements whether or not there is an account (`person_id`), so that the time of the
    answer does not say which.
    """
    whose = AuditEntry.subject_id == person_id if person_id else AuditEntry.subject_id.is_(None)
    recent = select(AuditEntry.id).where(
        AuditEntry.action == Action.LOGIN_FAILED, AuditEntry.at > now() - FAILURES_WITHIN, whose
    )
    told = await session.scalar(select(func.count()).select_from(recent.limit(FAILURES).subquery()))
    if (told or 0) < FAILURES:
        subject = (Subject.PERSON, person_id) if person_id else None
        record(session, Action.LOGIN_FAILED, person_id=None, subject=subject)
