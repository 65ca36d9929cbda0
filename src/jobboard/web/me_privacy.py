"""One's own data: take it along, or have it erased."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from jobboard.accounts import limits, service
from jobboard.infra.rates import LOGIN, limited
from jobboard.privacy import erasure, export
from jobboard.privacy.schemas import Erasure
from jobboard.web import cookies
from jobboard.web.deps import (
    ActorAloneDep,
    ActorDep,
    EnginesDep,
    FormAloneDep,
    redirect,
)
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/me")


@router.get("/privacy")
async def show_privacy(request: Request, _actor: ActorDep) -> Response:
    """What one can do about one's data."""
    return _page(request, Form())


def _page(request: Request, form: Form) -> Response:
    return render(request, "accounts/privacy.html", status=form.status, private=True, form=form)


@router.get("/export")
async def export_me(engines: EnginesDep, actor: ActorAloneDep) -> StreamingResponse:
    """Everything, as one archive."""
    await limits.hit_export(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        found = await export.gather(session, actor)
    pieces = export.archive(found, engines.storage, engines.mongo)
    return StreamingResponse(pieces, media_type="application/zip", headers=export.HEADERS)


@router.post("/erase")
@limited(LOGIN)
async def erase_me(
    request: Request, engines: EnginesDep, actor: ActorAloneDep, form: FormAloneDep
) -> Response:
    """Erase the account, for who knows its password and says so."""
    async with form.attempt():
        if not form.chosen("sure", "yes"):
            form.error("sure", "Tick this to say that you are sure.")
        form.require("current_password")
        data = form.parse(Erasure)
        if not form.refused:
            await limits.hit_password(engines.limiter, actor.id)
            async with engines.database.transaction() as session:
                person = await service.get_account(session, actor.id)
            await service.require_password(person, data.current_password)
            async with engines.database.transaction() as session:
                await erasure.erase(session, actor)
            response = redirect(request, "/", "Your account is erased. Goodbye.")
            cookies.clear(response, cookies.LOGIN, engines.settings)
            return response
    return _page(request, form)
