"""Where the links of our mails lead. A GET only shows a button: link scanners open links, too."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts import addresses, limits, links, recovery
from jobboard.accounts.models import LinkPurpose
from jobboard.accounts.schemas import EmailAsked, PasswordReset, TokenOfLink
from jobboard.accounts.second_factor import Undone
from jobboard.errors import Invalid
from jobboard.infra.rates import LOGIN, limited
from jobboard.privacy import regaining
from jobboard.settings import Settings
from jobboard.web import cookies
from jobboard.web.deps import (
    AddressDep,
    EnginesDep,
    FormAloneDep,
    FormDep,
    FoundDep,
    SessionDep,
    SettingsDep,
    redirect,
)
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Query(max_length=200)]
# The same words whether or not there is such an account.
ASKED = "If there is an account with this address, a mail with a link is on its way."
BACK = (
    "Your address is back and everyone is logged out. We mailed you a link to set a new password."
)
SECOND_STEP = {  # what to add of it
    Undone.NONE: "",
    Undone.OFF: " Two-step log-in, which was turned on shortly before the move or since, is off.",
    Undone.STAYS: " Two-step log-in was on for longer and stays: you need your app or a recovery "
    "code. If it was not you who set it up, write to the people who run this board.",
}
TO_TOP = {"token": ""}  # the page has no such field: say it at the top
# Nobody else learns the address of a page whose token opens an account.
HEADERS = {"Referrer-Policy": "same-origin"}


def _button_page(request: Request, name: str, form: Form) -> Response:
    page = f"accounts/{name}.html"
    return render(request, page, status=form.status, private=True, headers=HEADERS, form=form)


async def _opened(session: AsyncSession, token: str, purpose: LinkPurpose) -> Form:
    """The form of a link, refused from the start where the link is dead."""
    form = Form.of({"token": token})
    try:
        await links.peek(session, token, purpose)
    except Invalid as error:
        form.refuse(error, TO_TOP)
    return form


@router.get("/verify-email")
async def show_verify(
    request: Request, session: SessionDep, _viewer: FoundDep, token: Token = ""
) -> Response:
    """The button that confirms an address."""
    form = await _opened(session, token, LinkPurpose.VERIFY)
    return _button_page(request, "verify-email", form)


@router.post("/verify-email")
@limited(LOGIN)
async def verify(
    request: Request, session: SessionDep, viewer: FoundDep, form: FormDep
) -> Response:
    """Confirm an address."""
    async with form.attempt(session, TO_TOP):
        await addresses.verify(session, form.parse(TokenOfLink).token)
        onward = "/me" if viewer else "/log-in"
        return redirect(request, onward, "Thank you: your e-mail address is confirmed.")
    return _button_page(request, "verify-email", form)


@router.get("/forgot-password")
async def show_forgot(request: Request, settings: SettingsDep, _viewer: FoundDep) -> Response:
    """Ask for a link to set a new password."""
    flash = cookies.read_flash(request, settings)
    return _button_page(
        request, "forgot-password", Form.of({"email": flash.email if flash else ""})
    )


@router.post("/forgot-password")
@limited(LOGIN)
async def forgot(
    request: Request, engines: EnginesDep, form: FormAloneDep, address: AddressDep
) -> Response:
    """Have it mailed, if there is such an account."""
    async with form.attempt():
        email = form.parse(EmailAsked).email
        await limits.hit_reset(engines.limiter, address)
        if await limits.may_mail(engines.limiter, "reset", email):
            async with engines.database.transaction() as session:
                recovery.ask_to_reset(session, email)
        return redirect(request, "/log-in", ASKED, email=email)
    return _button_page(request, "forgot-password", form)


@router.get("/reset-password")
async def show_reset(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    _viewer: FoundDep,
    token: Token = "",
) -> Response:
    """The form for the new password."""
    form = await _opened(session, token, LinkPurpose.RESET)
    if not form.refused:
        await recovery.person_of_link(session, token)  # says at once that someone is suspended
    return _reset_page(request, form, settings)


def _reset_page(request: Request, form: Form, settings: Settings) -> Response:
    return render(
        request,
        "accounts/reset-password.html",
        status=form.status,
        private=True,
        headers=HEADERS,
        form=form,
        min_length=settings.password_min_length,
    )


@router.post("/reset-password")
@limited(LOGIN)
async def reset(request: Request, engines: EnginesDep, form: FormAloneDep) -> Response:
    """Set the new password."""
    async with form.attempt(renamed=TO_TOP):
        data = form.parse(PasswordReset)
        async with engines.database.transaction() as session:
            person = await recovery.person_of_link(session, data.token)
        password = data.password.get_secret_value()
        hashed = await recovery.new_hash(person, password, engines.settings)
        async with engines.database.transaction() as session:
            await recovery.reset(session, data.token, hashed)
        done = "Your new password is set. You are logged out everywhere: log in with it."
        response = redirect(request, "/log-in", done, email=person.email)
        cookies.clear(response, cookies.LOGIN, engines.settings)
        return response
    return _reset_page(request, form, engines.settings)


@router.get("/change-email")
async def show_change(
    request: Request, session: SessionDep, _viewer: FoundDep, token: Token = ""
) -> Response:
    """The button that takes a new address."""
    form = await _opened(session, token, LinkPurpose.CHANGE)
    return _button_page(request, "change-email", form)


@router.post("/change-email")
@limited(LOGIN)
async def change(
    request: Request, session: SessionDep, viewer: FoundDep, form: FormDep
) -> Response:
    """Take it."""
    async with form.attempt(session, TO_TOP):
        await addresses.change(session, form.parse(TokenOfLink).token)
        onward = "/me" if viewer else "/log-in"
        return redirect(request, onward, "Your account has its new e-mail address.")
    return _button_page(request, "change-email", form)


@router.get("/undo-change-email")
async def show_undo(
    request: Request, session: SessionDep, _viewer: FoundDep, token: Token = ""
) -> Response:
    """The button that brings an old address back."""
    form = await _opened(session, token, LinkPurpose.UNDO)
    return _button_page(request, "undo-change-email", form)


@router.post("/undo-change-email")
@limited(LOGIN)
async def undo(request: Request, session: SessionDep, form: FormDep) -> Response:
    """Bring it back, and shut everyone out."""
    async with form.attempt(session, TO_TOP):
        undone = await regaining.undo_change(session, form.parse(TokenOfLink).token)
        return redirect(request, "/log-in", BACK + SECOND_STEP[undone.second_factor])
    return _button_page(request, "undo-change-email", form)
