"""One's own résumés: which there are, one more, one less."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts.schemas import Actor
from jobboard.applications import resumes
from jobboard.infra.engines import Engines
from jobboard.infra.rates import UPLOADS, limited
from jobboard.settings import Settings
from jobboard.uploads.service import add_resume
from jobboard.web.deps import ActorDep, EnginesDep, FormDep, SessionDep, SettingsDep, redirect
from jobboard.web.desk import Cursor, href, outcome
from jobboard.web.forms import MEGABYTE, UPLOAD_BODY, Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/me/resumes")

PAGE = 20


async def keep_resume(
    session: AsyncSession, engines: Engines, actor: Actor, form: Form
) -> UUID | None:
    """Put the file of a form among the person's own; its id. What is wrong stands beside it."""
    async with form.attempt(session, {"": "file"}):
        limit = engines.settings.resume_max_mb * MEGABYTE
        filename, data = await form.read_file("file", limit=limit)
        upload = await add_resume(
            session, engines.storage, engines.settings, actor.id, filename=filename, data=data
        )
        return upload.id
    return None


@router.get("")
async def show_resumes(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    actor: ActorDep,
    cursor: Cursor = None,
) -> Response:
    """The list, and the form for one more."""
    return await _page(request, session, settings, actor, Form(), cursor)


async def _page(
    request: Request,
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    form: Form,
    cursor: str | None = None,
) -> Response:
    page = await resumes.list_own(session, actor, cursor=cursor, limit=PAGE)
    return render(
        request,
        "accounts/resumes.html",
        status=form.status,
        private=True,
        form=form,
        resumes=page.items,
        first=cursor is None,
        next_href=href("/me/resumes", cursor=page.next_cursor) if page.next_cursor else None,
        max_mb=settings.resume_max_mb,
    )


@router.post("", max_body_size=UPLOAD_BODY)
@limited(UPLOADS)
async def add(
    request: Request, session: SessionDep, engines: EnginesDep, actor: ActorDep, form: FormDep
) -> Response:
    """Keep one more, to apply with it later."""
    if not form.has_file("file"):
        form.error("file", "Choose a file first.")
    elif await keep_resume(session, engines, actor, form):
        return redirect(request, "/me/resumes", "Your résumé is kept. Choose it when you apply.")
    return await _page(request, session, engines.settings, actor, form)


@router.post("/{resume_id}/delete")
async def delete(
    request: Request, resume_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> RedirectResponse:
    """Take one back."""
    async with form.attempt(session):
        await resumes.delete_own(session, actor, resume_id)
    return outcome(request, form, "/me/resumes", "The résumé is deleted.")
