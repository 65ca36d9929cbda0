"""Telling the audit log, in the transaction of what is told: both are there, or neither is."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.audit.models import Action, AuditEntry, Subject


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
