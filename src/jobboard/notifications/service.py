"""Telling people: a row they can read, and a message for the worker that mails it."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.queue import enqueue

MAIL = "notifications.mail"  # the message's kind; its payload: {person_id, kind, data}


def notify(session: AsyncSession, person_id: UUID, kind: str, data: dict[str, Any]) -> None:
    """Tell a person something by mail, if and only if this transaction commits.

    `kind` names the template; `data` holds plain JSON values that it needs.
    """
    enqueue(session, MAIL, {"person_id": str(person_id), "kind": kind, "data": data})
