"""Files that people handed in: pictures for everyone, résumés for those they were meant for."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response, StreamingResponse

from jobboard.applications import service as applications
from jobboard.errors import NotFound
from jobboard.infra.engines import Engines
from jobboard.uploads import service as uploads
from jobboard.web.assets import FOR_GOOD
from jobboard.web.deps import ActorDep, EnginesDep, SessionDep

router = APIRouter(include_in_schema=False)

# Whatever a file holds, it can do nothing where it is opened.
INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}
PUBLIC = {
    **INERT,
    "Cache-Control": FOR_GOOD,
    "Cross-Origin-Resource-Policy": "cross-origin",  # in mails, feeds and other sites too
}


@router.get("/images/{name}")
async def read_image(
    request: Request,
    name: Annotated[str, Path(pattern="^[0-9a-f]{32}-(full|card|logo)[.](webp|avif)$")],
    engines: EnginesDep,
) -> Response:
    """One file of a picture. Its name is random and never used again: keep it for good."""
    return await _for_good(request, engines, f"images/{name}", f"image/{name.rpartition('.')[2]}")


@router.get("/logos/{name}")
async def read_logo(
    request: Request, name: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], engines: EnginesDep
) -> Response:
    """A logo from before pictures had sizes."""
    return await _for_good(request, engines, f"logos/{name}", "image/webp")


async def _for_good(request: Request, engines: Engines, key: str, media_type: str) -> Response:
    headers = {**PUBLIC, "ETag": f'"{key.partition("/")[2]}"'}
    try:
        pieces = await engines.storage.open(key)
    except FileNotFoundError:
        raise NotFound from None
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(
        b"".join([piece async for piece in pieces]), media_type=media_type, headers=headers
    )


@router.get("/resumes/{resume_id}")
async def read_resume(
    resume_id: UUID, session: SessionDep, actor: ActorDep, engines: EnginesDep
) -> StreamingResponse:
    """A résumé to keep, never shown in the browser, under the name that its owner gave it."""
    await applications.require_resume(session, actor, resume_id)
    upload = await uploads.get(session, resume_id)
    return StreamingResponse(
        await uploads.content(engines.storage, upload),
        media_type=upload.media_type,
        headers={
            **INERT,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(upload.filename)}",
            "Content-Length": str(upload.size),
            "Cache-Control": "no-store",
        },
    )
