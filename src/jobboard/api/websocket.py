"""WebSocket /ws: news as it comes. docs/live.md has the messages.

A ticket opens it, once, within half a minute: no token stands in an address, where logs would keep
it. A browser's page must be ours (`Origin`); programs send none.
"""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, WebSocket
from sqlalchemy.exc import SQLAlchemyError

from jobboard.accounts import queries as accounts
from jobboard.accounts.schemas import Actor
from jobboard.api.hub import ENDED, GONE, LATER, MANY, NOTHING, Hub, Seat
from jobboard.infra import tickets
from jobboard.infra.engines import Engines
from jobboard.infra.origin import is_ours
from jobboard.notifications.schemas import TicketRead

PATH = "/ws"
router = APIRouter()
log = structlog.get_logger()


async def issue(engines: Engines, actor: Actor) -> TicketRead:
    """A ticket for whoever asks, good as long as their log-in."""
    ticket = await tickets.issue(engines.redis, actor.id, actor.login_session_id)
    return TicketRead(ticket=ticket, expires_in=tickets.SECONDS, path=PATH)


@router.websocket(PATH)
@router.websocket("/api/v1" + PATH)
async def connect(
    websocket: WebSocket,
    ticket: Annotated[str, Query(max_length=100)] = "",
    since: Annotated[UUID | None, Query()] = None,
) -> None:
    """News of whoever the ticket was given to; `since` is the newest that they have."""
    engines: Engines = websocket.app.state.engines
    hub: Hub = websocket.app.state.hub
    actor = await _whose(websocket, engines, ticket)
    if actor is None:
        await websocket.close(ENDED)  # before it is accepted: a 403
        return
    await websocket.accept()
    seat = Seat(
        websocket,
        actor.id,
        actor.login_session_id,
        actor.is_admin,
        since or NOTHING,
        returns=since is not None,
    )
    if not hub.enter(seat):
        await websocket.close(MANY)
        return
    try:
        await hub.greet(seat)
        with suppress(RuntimeError):  # cut off by us
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass  # there is nothing to say to us
    except (OSError, SQLAlchemyError) as error:
        log.warning("websocket.database_silent", error=type(error).__name__)
        with suppress(*GONE):
            await websocket.close(LATER)
    finally:
        hub.leave(seat)


async def _whose(websocket: WebSocket, engines: Engines, ticket: str) -> Actor | None:
    """None where the page is not ours, the ticket is no good, or their log-in has ended."""
    headers = websocket.headers
    origin = headers.get("origin")
    if origin is not None and not is_ours(origin, headers.get("host"), engines.settings.base_url):
        return None
    ids = await tickets.take(engines.redis, ticket) if ticket else None
    if ids is None:
        return None
    async with engines.database.transaction() as session:
        actor = await accounts.actor_of_login(session, *ids, engines.settings)
    return None if actor is None or actor.must_enrol else actor
