"""Telling the audit log, in the transaction of what is told: both are there, or neither is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.audit.models import Action, AuditEntry, Subject
from jobboard.infra.provenance import origin


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
    here = origin()
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
