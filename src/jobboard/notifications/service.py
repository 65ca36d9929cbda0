"""Telling people: a row they can read, a message for the worker that mails it, and a ring."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.errors import NotFound
from jobboard.infra.queue import enqueue
from jobboard.infra.rings import ring_for
from jobboard.notifications.models import Notification
from jobboard.notifications.words import WORDS

MAIL = "notifications.mail"  # the message's kind; its payload: {person_id, kind, data}
KEEP = timedelta(days=90)
BATCH = 5_000


def notify(session: AsyncSession, person_id: UUID, kind: str, data: dict[str, Any]) -> None:
    """Tell a person something, by mail and in their list, if and only if this transaction commits.

    `kind` names the mail's template and the line in `words`; `data` holds plain JSON values that
    both need.
    """
    enqueue(session, MAIL, {"person_id": str(person_id), "kind": kind, "data": data})
    if line := WORDS.get(kind):
        text, path = line.said(data)
        session.add(Notification(person_id=person_id, kind=kind, text=text, path=path))
        ring_for(session, str(person_id))


async def mark_read(
    session: AsyncSession,
    person_id: UUID,
    *,
    ids: Collection[UUID] | None = None,
    until: UUID | None = None,
) -> None:
    """Mark these, or all up to one, or all. Those that are not theirs are left alone."""
    news = update(Notification).where(
        Notification.person_id == person_id, Notification.read_at.is_(None)
    )
    if ids is not None:
        news = news.where(Notification.id.in_(ids))
    elif until is not None:
        news = news.where(Notification.id <= until)
    await session.execute(news.values(read_at=now()).execution_options(synchronize_session=False))
    ring_for(session, str(person_id))


async def open_one(session: AsyncSession, person_id: UUID, notification_id: UUID) -> str:
    """Mark one as read; the path of the page that it speaks of. Raises NotFound."""
    mine = (Notification.id == notification_id, Notification.person_id == person_id)
    path = await session.scalar(select(Notification.path).where(*mine))
    if path is None:
        raise NotFound
    await mark_read(session, person_id, ids=[notification_id])
    return path


async def forget_old(session: AsyncSession) -> int:
    """Delete a batch of news that is older than KEEP; how many."""
    old = (
        select(Notification.id)
        .where(Notification.created_at < now() - KEEP)
        .limit(BATCH)
        .cte("old")  # a subquery might be run again and again, and find others each time
    )
    gone = await session.scalars(
        delete(Notification)
        .where(Notification.id == old.c.id)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
