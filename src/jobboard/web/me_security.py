"""What guards one's account: password, two-step log-in, and where one is logged in."""

from uuid import UUID

import segno
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts import limits, logins, second_factor, service
from jobboard.accounts.schemas import (
    Actor,
    CodeInput,
    PasswordAndCode,
    PasswordInput,
    PersonUpdate,
)
from jobboard.infra.engines import Engines
from jobboard.infra.rates import LOGIN, limited
from jobboard.pagination import DEFAULT_LIMIT
from jobboard.settings import Settings
from jobboard.web.deps import (
    ActorAloneDep,
    EnginesDep,
    FormAloneDep,
    FormDep,
    NewcomerAloneDep,
    NewcomerDep,
    SessionDep,
    SettingsDep,
    redirect,
)
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/me")

PAGE = "/me/security"
TWO_STEP = "/me/security/two-step"
CHANGED = "Your password is changed. Everywhere else you are logged out."


@router.get("/security")
async def show_security(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    actor: NewcomerDep,
    cursor: str | None = None,
) -> Response:
    """All of it."""
    return await _page(request, session, settings, actor, Form(), cursor=cursor)


async def _page(
    request: Request,
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    password: Form,
    *,
    cursor: str | None = None,
) -> Response:
    return render(
        request,
        "accounts/security.html",
        status=password.status,
        private=True,
        password=password,
        min_length=settings.password_min_length,
        second=await second_factor.read(session, actor.id),
        needed=actor.is_admin and settings.admins_need_second_factor,
        page=await logins.list_logins(session, actor, cursor=cursor, limit=DEFAULT_LIMIT),
    )


@router.post("/password")
@limited(LOGIN)
async def change_password(
    request: Request, engines: EnginesDep, actor: ActorAloneDep, form: FormAloneDep
) -> Response:
    """A new password; every other log-in ends."""
    async with form.attempt():
        form.require("current_password", "new_password")
        data = form.parse(PersonUpdate)
        await limits.hit_password(engines.limiter, actor.id)
        async with engines.database.transaction() as session:
            person = await service.get_account(session, actor.id)
        new_hash = await service.new_password_hash(person, data, engines.settings)
        async with engines.database.transaction() as session:
            await service.update_me(session, actor, data, new_hash=new_hash)
        return redirect(request, PAGE, CHANGED)
    async with engines.database.transaction() as session:
        return await _page(request, session, engines.settings, actor, form)


@router.post("/security/log-ins/end-others")
async def end_other_logins(
    request: Request, session: SessionDep, actor: NewcomerDep, _form: FormDep
) -> Response:
    """Log out everywhere else."""
    await logins.end_logins(session, actor.id, but=actor.login_session_id)
    return redirect(request, PAGE, "Everywhere else you are logged out.")


@router.post("/security/log-ins/{login_id}/end")
async def end_login(
    request: Request, login_id: UUID, session: SessionDep, actor: NewcomerDep, _form: FormDep
) -> Response:
    """Log out there."""
    await logins.end_own(session, actor, login_id)
    return redirect(request, PAGE, "That device is logged out.")


@router.get("/security/two-step")
async def show_two_step(
    request: Request, session: SessionDep, settings: SettingsDep, actor: NewcomerDep
) -> Response:
    """Set it up, step by step."""
    if (await second_factor.read(session, actor.id)).enabled:
        return RedirectResponse(PAGE, status_code=303)
    return await _two_step_page(request, session, settings, actor, Form())


async def _two_step_page(
    request: Request, session: AsyncSession, settings: Settings, actor: Actor, form: Form
) -> Response:
    """The password first, then the picture and the first code."""
    enrolment = await second_factor.begun(session, actor, settings)
    return render(
        request,
        "accounts/two-step.html",
        status=form.status,
        private=True,
        form=form,
        enrolment=enrolment,
        picture=_qr(enrolment.uri) if enrolment else "",
        needed=actor.must_enrol,
    )


def _qr(uri: str) -> Markup:
    """The address as a QR code: SVG without a style, which the CSP would refuse."""
    svg = segno.make(uri, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None
    )
    return Markup(svg)


@router.post("/security/two-step")
@limited(LOGIN)
async def begin_two_step(
    request: Request, engines: EnginesDep, actor: NewcomerAloneDep, form: FormAloneDep
) -> Response:
    """A key for the app, for who knows the password."""
    async with form.attempt():
        await _require_password(engines, actor, form.parse(PasswordInput).current_password)
        async with engines.database.transaction() as session:
            await second_factor.begin(session, actor, engines.settings)
        return redirect(request, TWO_STEP)
    async with engines.database.transaction() as session:
        return await _two_step_page(request, session, engines.settings, actor, form)


@router.post("/security/two-step/confirm")
@limited(LOGIN)
async def confirm_two_step(
    request: Request, engines: EnginesDep, actor: NewcomerAloneDep, form: FormAloneDep
) -> Response:
    """Turn it on with a first code, and show the recovery codes."""
    async with form.attempt():
        code = form.parse(CodeInput).code
        await limits.hit_code(engines.limiter, actor.id)
        async with engines.database.transaction() as session:
            codes = await second_factor.confirm(session, actor, code, engines.settings)
        return _codes_page(request, codes, "Two-step log-in is on")
    async with engines.database.transaction() as session:
        return await _two_step_page(request, session, engines.settings, actor, form)


def _codes_page(request: Request, codes: list[str], title: str) -> Response:
    """Not a redirect: they are shown this one time."""
    template = "accounts/recovery-codes.html"
    return render(request, template, private=True, codes=codes, heading=title)


@router.get("/security/recovery-codes")
async def show_renewal(request: Request, _actor: NewcomerDep) -> Response:
    """Ask for password and code before new ones."""
    return _sure_page(request, Form(), "recovery-codes")


@router.post("/security/recovery-codes")
@limited(LOGIN)
async def renew_recovery_codes(
    request: Request, engines: EnginesDep, actor: NewcomerAloneDep, form: FormAloneDep
) -> Response:
    """New recovery codes instead of the old ones."""
    async with form.attempt():
        code = await _sure(engines, actor, form)
        async with engines.database.transaction() as session:
            codes = await second_factor.renew(session, actor, code, engines.settings)
        return _codes_page(request, codes, "Your new recovery codes")
    return _sure_page(request, form, "recovery-codes")


@router.get("/security/two-step/off")
async def show_turning_off(request: Request, _actor: NewcomerDep) -> Response:
    """Ask for password and code."""
    return _sure_page(request, Form(), "two-step/off")


@router.post("/security/two-step/off")
@limited(LOGIN)
async def turn_off(
    request: Request, engines: EnginesDep, actor: NewcomerAloneDep, form: FormAloneDep
) -> Response:
    """Only the password from now on."""
    async with form.attempt():
        code = await _sure(engines, actor, form)
        async with engines.database.transaction() as session:
            await second_factor.turn_off(session, actor, code, engines.settings)
        return redirect(request, PAGE, "Two-step log-in is off.")
    return _sure_page(request, form, "two-step/off")


def _sure_page(request: Request, form: Form, what: str) -> Response:
    return render(
        request, "accounts/sure.html", status=form.status, private=True, form=form, what=what
    )


async def _sure(engines: Engines, actor: Actor, form: Form) -> str:
    """The code, of who also knew the password."""
    data = form.parse(PasswordAndCode)
    await _require_password(engines, actor, data.current_password)
    await limits.hit_code(engines.limiter, actor.id)
    return data.code


async def _require_password(engines: Engines, actor: Actor, password: SecretStr) -> None:
    await limits.hit_password(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        person = await service.get_account(session, actor.id)
    await service.require_password(person, password)
