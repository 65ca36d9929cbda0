"""News of the signed-in person, and tickets for the WebSocket that brings it as it comes."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from jobboard.api import websocket
from jobboard.api.deps import LIMIT, ActorDep, Cursor, EnginesDep, Limit, SessionDep
from jobboard.api.route import Router
from jobboard.notifications import queries, service
from jobboard.notifications.schemas import (
    NotificationPage,
    NotificationsRead,
    TicketRead,
    Unread,
)

router = Router(tags=["notifications"])


@router.get("/notifications")
async def list_notifications(
    session: SessionDep,
    actor: ActorDep,
    unread: Annotated[bool, Query(description="Only what I have not read.")] = False,
    since: Annotated[
        UUID | None,
        Query(
            description="The id of the newest that you have. Some of the minute before it may "
            "come once more: the ids tell."
        ),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> NotificationPage:
    """My news, newest first.

    The same comes over the WebSocket as it happens; after a cut, go on with `since`.
    """
    return await queries.list_own(
        session, actor.id, unread=unread, since=since, cursor=cursor, limit=limit
    )


@router.post("/notifications/read")
async def read_notifications(
    data: NotificationsRead, session: SessionDep, actor: ActorDep
) -> Unread:
    """Mark news as read: some, all up to one, or all."""
    await service.mark_read(session, actor.id, ids=data.ids, until=data.until)
    return Unread(unread=await queries.unread_count(session, actor.id))


@router.post("/ws-tickets")
async def create_ws_ticket(engines: EnginesDep, actor: ActorDep) -> TicketRead:
    """Get a ticket for the WebSocket.

    Connect within half a minute to `/ws?ticket=...`; each ticket opens it once.
    """
    return await websocket.issue(engines, actor)
