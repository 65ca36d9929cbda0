"""Résumés: hand one in, see which there are, load one again, take one back."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import File, UploadFile
from fastapi.responses import StreamingResponse

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.deps import (
    LIMIT,
    ActorDep,
    Cursor,
    EnginesDep,
    Limit,
    PathId,
    SessionDep,
    SettingsDep,
    acts,
)
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.applications import resumes
from jobboard.applications import service as applications
from jobboard.applications.schemas import OwnResume
from jobboard.infra.rates import UPLOADS, limited
from jobboard.pagination import Page
from jobboard.uploads import service
from jobboard.uploads.resumes import DOCX, PDF
from jobboard.uploads.schemas import ResumeRead

FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {PDF: {}, DOCX: {}}, "description": "The file, as it was handed in."}
}
router = Router(prefix="/resumes", tags=["uploads"])

ReaderDep = Annotated[Actor, acts(Right.SEE_APPLICATION)]


@router.get("")
async def list_resumes(
    session: SessionDep, actor: ActorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[OwnResume]:
    """Your own résumés, latest first, and how many applications each went with."""
    return await resumes.list_own(session, actor, cursor=cursor, limit=limit)


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
@limited(UPLOADS)
async def create_resume(
    file: Annotated[UploadFile, File(description="PDF or DOCX.")],
    session: SessionDep,
    actor: ActorDep,
    engines: EnginesDep,
    settings: SettingsDep,
) -> ResumeRead:
    """Hand in a résumé; its id goes into an application."""
    upload = await service.add_resume(
        session,
        engines.storage,
        settings,
        actor.id,
        filename=file.filename,
        data=await file.read(),
    )
    return ResumeRead.model_validate(upload)


@router.get("/{id}/file", response_class=StreamingResponse, responses=FILE)
async def get_resume_file(
    resume_id: PathId, session: SessionDep, actor: ReaderDep, engines: EnginesDep
) -> StreamingResponse:
    """The file itself, for its owner and for the companies that it was sent to."""
    await applications.require_resume(session, actor, resume_id)
    upload = await service.get(session, resume_id)
    return StreamingResponse(
        await service.content(engines.storage, upload),
        media_type=upload.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(upload.filename)}",
            "Content-Length": str(upload.size),
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


@router.delete("/{id}", status_code=204)
async def delete_resume(resume_id: PathId, session: SessionDep, actor: ActorDep) -> None:
    """Take a résumé back; its file goes, and your quota has room again.

    While an application that you did not withdraw carries it, the answer is a 409: the company
    still needs it.
    """
    await resumes.delete_own(session, actor, resume_id)
