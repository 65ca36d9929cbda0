"""Who has which news. Each person sees their own, and nobody else's."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, Text, cast, column, func, select, true, values
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.notifications.models import Notification
from jobboard.notifications.schemas import NotificationPage, NotificationRead
from jobboard.pagination import cut, decode_cursor, encode_cursor, read_id

COLUMNS = tuple(getattr(Notification, name) for name in NotificationRead.model_fields)
# Ids are made when a row is written and seen when its transaction commits: a smaller one may be
# seen later. No transaction of ours lasts as long.
OVERLAP = timedelta(seconds=60)
SEVERAL = 50  # pieces of news that one message brings at most; the list has the rest


async def unread_count(session: AsyncSession, person_id: UUID) -> int:
    """How many pieces of news someone has not read."""
    unread = select(func.count()).where(
        Notification.person_id == person_id, Notification.read_at.is_(None)
    )
    return await session.scalar(unread) or 0


async def newest_ids(session: AsyncSession, person_id: UUID) -> list[UUID]:
    """The ids of somebody's latest news."""
    newest = _newest(person_id, SEVERAL).with_only_columns(Notification.id)
    return list(await session.scalars(newest))


async def list_own(
    session: AsyncSession,
    person_id: UUID,
    *,
    unread: bool = False,
    since: UUID | None = None,
    cursor: str | None = None,
    limit: int,
) -> NotificationPage:
    """Somebody's news, newest first. Raises Invalid for a wrong cursor.

    After `since`, the newest that they have, some of the minute before it come once more.
    """
    news = _newest(person_id, limit + 1)
    if unread:
        news = news.where(Notification.read_at.is_(None))
    if since is not None:
        news = news.where(Notification.id > earlier(since))
    if cursor is not None:
        (before,) = decode_cursor(cursor, str)
        news = news.where(Notification.id < read_id(before))
    rows, more = cut((await session.execute(news)).all(), limit)
    return NotificationPage(
        items=[NotificationRead(**row._mapping) for row in rows],
        unread=await unread_count(session, person_id),
        next_cursor=encode_cursor(str(rows[-1].id)) if more else None,
    )


def _newest(person_id: UUID, limit: int) -> Select:
    return (
        select(*COLUMNS)
        .where(Notification.person_id == person_id)
        .order_by(Notification.id.desc())
        .limit(limit)
    )


def earlier(since: UUID) -> UUID:
    """The id that would have been made OVERLAP before this one (RFC 9562: milliseconds first)."""
    moment = (since.int >> 80) - int(OVERLAP.total_seconds() * 1000)
    return UUID(int=max(moment, 0) << 80)


async def unread_counts(session: AsyncSession, person_ids: Collection[UUID]) -> dict[UUID, int]:
    """The same for many; those who have read all are left out."""
    counts = await session.execute(
        select(Notification.person_id, func.count())
        .where(Notification.person_id.in_(person_ids), Notification.read_at.is_(None))
        .group_by(Notification.person_id)
    )
    return dict(counts.all())


async def newer(
    session: AsyncSession, since: Mapping[UUID, UUID]
) -> dict[UUID, list[NotificationRead]]:
    """What each of these people got after the id that stands beside them, the oldest first."""
    asked = (
        values(column("person_id", PG_UUID), column("since", PG_UUID), name="asked")
        .data([(person_id, earlier(last)) for person_id, last in since.items()])
        .alias("asked")
    )
    news = (
        select(*COLUMNS)
        .where(
            Notification.person_id == cast(asked.c.person_id, PG_UUID),
            Notification.id > cast(asked.c.since, PG_UUID),
        )
        .order_by(Notification.id.desc())
        .limit(SEVERAL)
        .lateral("news")
    )
    found = await session.execute(
        select(cast(asked.c.person_id, Text).label("whose"), news)
        .select_from(asked)
        .join(news, true())
    )
    each: dict[UUID, list[NotificationRead]] = {}
    for whose, *row in found:
        each.setdefault(UUID(whose), []).insert(
            0, NotificationRead(**dict(zip(NotificationRead.model_fields, row, strict=True)))
        )
    return each
