"""One's own news: the list, and what the small script of every page needs to bring it live."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from jobboard.errors import Invalid
from jobboard.infra import tickets
from jobboard.notifications import queries, service
from jobboard.web.deps import ActorDep, EnginesDep, FormDep, SessionDep, redirect
from jobboard.web.desk import Cursor, href
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/me/notifications")

PAGE = 30
NotificationId = Annotated[UUID, Path(alias="id")]


@router.get("")
async def show_notifications(
    request: Request, session: SessionDep, actor: ActorDep, cursor: Cursor = None
) -> Response:
    """The list, newest first."""
    page = await queries.list_own(session, actor.id, cursor=cursor, limit=PAGE)
    return render(
        request,
        "accounts/notifications.html",
        private=True,
        news=page.items,
        unread=page.unread,
        until=page.items[0].id if page.items else None,
        first=cursor is None,
        next_href=href("/me/notifications", cursor=page.next_cursor) if page.next_cursor else None,
    )


@router.get("/{id}")
async def open_notification(
    request: Request, session: SessionDep, actor: ActorDep, notification_id: NotificationId
) -> Response:
    """On to the page that it speaks of; it is read now."""
    return redirect(request, await service.open_one(session, actor.id, notification_id))


@router.post("/read")
async def read_notifications(
    request: Request, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """All up to the newest that stood on the page is known: what came since stays new."""
    try:
        until = UUID(form.value("until"))
    except ValueError:
        raise Invalid("Open this page anew: it does not say how far you have read.") from None
    await service.mark_read(session, actor.id, until=until)
    return redirect(request, "/me/notifications")


@router.post("/ticket")
async def get_ticket(engines: EnginesDep, actor: ActorDep, _form: FormDep) -> JSONResponse:
    """What opens the WebSocket, for the script."""
    ticket = await tickets.issue(engines.redis, actor.id, actor.login_session_id)
    return JSONResponse({"ticket": ticket}, headers={"Cache-Control": "no-store"})
