"""API keys of one's companies: see them, make one, revoke one."""

import secrets
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.accounts.scopes import KeyScope
from jobboard.companies import keys
from jobboard.companies.schemas import ApiKeyCreate, ApiKeyMade
from jobboard.settings import Settings
from jobboard.web.deps import FormDep, SessionDep, SettingsDep
from jobboard.web.desk import Cursor, EmployerDep, href, once_id, outcome, owned_choices
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(prefix="/employer/api-keys", include_in_schema=False)

PAGE = 50
LABELS = {"company_id": "Company", "name": "What will use it", "scopes": "What it may do"}
SCOPES = {
    KeyScope.JOBS_READ: "See your jobs in every state",
    KeyScope.JOBS_WRITE: "Write jobs, hand them in, close them",
    KeyScope.APPLICATIONS_READ: "Read applications and résumés",
    KeyScope.APPLICATIONS_WRITE: "Answer applicants and write notes",
}
LIVES = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked")]


@router.get("")
async def show_keys(
    request: Request,
    session: SessionDep,
    actor: EmployerDep,
    company: UUID | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """The keys that work, and the form for a new one."""
    form = Form.of({"company_id": company, "expires_in_days": "365"})
    return await _page(request, session, actor, form, cursor=cursor)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form: Form,
    *,
    made: ApiKeyMade | None = None,
    cursor: str | None = None,
) -> HTMLResponse:
    """`made` is shown with its secret, this once."""
    form.fill("once", secrets.token_urlsafe(16))
    page = await keys.list_keys(session, actor, cursor=cursor, limit=PAGE)
    more = href("/employer/api-keys", cursor=page.next_cursor)
    return render(
        request,
        "employer/api-keys.html",
        status=form.status,
        private=True,
        form=form,
        made=made,
        keys=page.items,
        own=await owned_choices(session, actor),
        labels=LABELS,
        scopes={str(scope): words for scope, words in SCOPES.items()},
        lives=LIVES,
        next_href=more if page.next_cursor else None,
    )


@router.post("")
async def make_key(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    actor: EmployerDep,
    form: FormDep,
) -> Response:
    """Make a key. Its secret is in this answer only, so no redirect follows: to load the page again
    sends the form again, and each form makes one key."""
    made: ApiKeyMade | None = None
    async with form.attempt(session):
        made = await _make(session, actor, form.parse(ApiKeyCreate), form, settings)
    if "scopes" in form.errors:  # nothing is ticked, and nothing of it was sent
        form.errors["scopes"] = ["Choose at least one."]
    if made is not None:
        form = Form.of({"company_id": made.company_id, "expires_in_days": "365"})
    return await _page(request, session, actor, form, made=made)


async def _make(
    session: AsyncSession, actor: Actor, given: ApiKeyCreate, form: Form, settings: Settings
) -> ApiKeyMade:
    """The key's id comes from the form, but nobody can choose it."""
    key_id = once_id(settings, "api-key", actor, given.company_id, form)
    return await keys.make(session, actor, given, key_id=key_id)


@router.post("/{key_id}/revoke")
async def revoke_key(
    request: Request, key_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> RedirectResponse:
    """End a key."""
    name = ""
    async with form.attempt(session):
        name = (await keys.revoke(session, actor, key_id)).name
    text = f"“{name}” is revoked. Whatever still uses it is refused from now on."
    return outcome(request, form, "/employer/api-keys", text)
