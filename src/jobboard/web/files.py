"""Files that people handed in: logos for everyone, résumés for those they were meant for."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import Response, StreamingResponse

from jobboard.applications import service as applications
from jobboard.errors import NotFound
from jobboard.uploads import service as uploads
from jobboard.web.assets import FOR_GOOD
from jobboard.web.deps import ActorDep, EnginesDep, SessionDep

router = APIRouter(include_in_schema=False)

# Whatever a file holds, it can do nothing where it is opened.
INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


@router.get("/logos/{name}")
async def read_logo(
    name: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], engines: EnginesDep
) -> Response:
    """A company's logo. Its name is random and never used again, so it may be kept for good."""
    try:
        data = b"".join([piece async for piece in await engines.storage.open(f"logos/{name}")])
    except FileNotFoundError:
        raise NotFound from None
    return Response(data, media_type="image/webp", headers={**INERT, "Cache-Control": FOR_GOOD})


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
