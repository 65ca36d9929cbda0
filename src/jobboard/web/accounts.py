"""Sign up, log in in one step or two, log out."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobboard.accounts import limits, logins, service, tokens
from jobboard.accounts.models import Role
from jobboard.accounts.passwords import check_new_password
from jobboard.accounts.schemas import Actor, CodeInput, Registration
from jobboard.errors import Forbidden, Invalid, Unauthenticated
from jobboard.infra.engines import Engines
from jobboard.infra.rates import LOGIN, WRITES, limited
from jobboard.settings import Settings
from jobboard.web import cookies
from jobboard.web.deps import (
    AddressDep,
    EnginesDep,
    FormAloneDep,
    FormDep,
    FoundAloneDep,
    FoundDep,
    SessionDep,
    SettingsDep,
    ViewerAloneDep,
    ViewerDep,
    local_path,
    redirect,
)
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False)

CODE_PAGE = "/log-in/code"

ROLES = [("candidate", "I look for work"), ("employer", "I offer work")]
SIGN_UP_LABELS = {  # in the order of the form
    "role": "What brings you here",
    "full_name": "Your name",
    "email": "E-mail",
    "password": "Password",
}
HOMES = {Role.CANDIDATE: "/", Role.EMPLOYER: "/employer", Role.ADMIN: "/admin"}

# The same words whether or not the address had an account: only its owner is told, by mail.
SIGNED_UP = "Almost done: log in to begin. If this address had an account already, use that one."

Wished = Annotated[str, Query(alias="next", description="The page to go on to.")]


def _onward(actor: Actor, wished: str) -> str:
    """Where a log-in leads: to the page that asked for it, else to one's own."""
    if actor.must_enrol:
        return "/me/security/two-step"
    return local_path(wished, HOMES[actor.role])


def with_next(path: str, wished: str) -> str:
    """`path`, remembering the page to go on to if it is one of ours."""
    target = local_path(wished, "")
    return f"{path}?{urlencode({'next': target})}" if target else path


@router.get("/sign-up")
async def show_sign_up(
    request: Request,
    settings: SettingsDep,
    viewer: ViewerDep,
    role: str = Role.CANDIDATE,
    wished: Wished = "",
) -> Response:
    """The form; who is logged in has no use for it."""
    if viewer is not None:
        return RedirectResponse(_onward(viewer, wished), status_code=303)
    return _sign_up_page(request, Form.of({"role": role, "next": wished}), settings)


def _sign_up_page(request: Request, form: Form, settings: Settings) -> Response:
    return render(
        request,
        "accounts/sign-up.html",
        status=form.status,
        private=True,
        form=form,
        labels=SIGN_UP_LABELS,
        roles=ROLES,
        min_length=settings.password_min_length,
        log_in_href=with_next("/log-in", form.value("next")),
    )


@router.post("/sign-up")
@limited(LOGIN)
async def sign_up(
    request: Request, engines: EnginesDep, form: FormAloneDep, address: AddressDep
) -> Response:
    """Make an account, and go on to the log-in."""
    async with form.attempt():
        data = form.parse(Registration)
        await engines.limiter.hit_sign_up(address)
        remind = await engines.limiter.may_remind(data.email)
        hashed = await service.password_hash(data, engines.settings)
        async with engines.database.transaction() as session:
            person = await service.register(session, data, hashed, remind=remind)
        onward = with_next("/log-in", form.value("next"))
        return redirect(request, onward, SIGNED_UP, email=person.email)
    _judge_password(form, engines.settings)
    return _sign_up_page(request, form, engines.settings)


def _judge_password(form: Form, settings: Settings) -> None:
    """Say at once what is wrong with the password, too, where another field was refused first."""
    if "password" in form.errors:
        return
    about = (form.value("email").strip(), form.value("full_name").strip())
    minimum = settings.password_min_length
    try:
        check_new_password(form.value("password"), min_length=minimum, about=about)
    except Invalid as error:
        form.refuse(error)


@router.get("/log-in")
async def show_log_in(
    request: Request, settings: SettingsDep, viewer: ViewerDep, wished: Wished = ""
) -> Response:
    """The form, with the address of someone who just signed up."""
    if viewer is not None:
        return RedirectResponse(_onward(viewer, wished), status_code=303)
    flash = cookies.read_flash(request, settings)
    form = Form.of({"email": flash.email if flash else "", "next": wished})
    return _log_in_page(request, form)


def _log_in_page(request: Request, form: Form) -> Response:
    wished = local_path(form.value("next"), "")
    return render(
        request,
        "accounts/log-in.html",
        status=form.status,
        private=True,
        form=form,
        applying=wished.endswith("/apply"),
        sign_up_href=with_next("/sign-up", wished),
    )


@router.post("/log-in")
@limited(LOGIN)
async def log_in(
    request: Request,
    engines: EnginesDep,
    viewer: ViewerAloneDep,
    form: FormAloneDep,
    address: AddressDep,
) -> Response:
    """A new cookie for a right password; the old log-in of this browser ends."""
    async with form.attempt():
        login = await _log_in(request, engines, viewer, form, address)
        if isinstance(login, logins.HalfLogin):
            response = redirect(request, with_next(CODE_PAGE, form.value("next")))
            cookies.write_half_login(response, login.token, engines.settings)
            return response
        return _logged_in(request, login, form, engines.settings)
    return _log_in_page(request, form)


async def _log_in(
    request: Request, engines: Engines, viewer: Actor | None, form: Form, address: str
) -> logins.WebLogin | logins.HalfLogin:
    email = form.value("email")
    await engines.limiter.hit_login(email, address)
    async with engines.database.transaction() as session:
        claimed = await logins.claim(session, email)
    try:
        proven = await logins.authenticate(claimed, form.value("password"))
    except (Unauthenticated, Forbidden):
        if await limits.may_tell_failure(engines.limiter, email):
            async with engines.database.transaction() as session:
                logins.note_refused(session, claimed.id if claimed else None)
        raise
    async with engines.database.transaction() as session:
        login = await logins.log_in_to_pages(
            session, proven, engines.settings, user_agent=_user_agent(request)
        )
        if viewer is not None and isinstance(login, logins.WebLogin):
            await logins.end_login(session, viewer.login_session_id)
    return login


def _user_agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _logged_in(
    request: Request, login: logins.WebLogin, form: Form, settings: Settings
) -> Response:
    response = redirect(request, _onward(login.actor, form.value("next")))
    cookies.write_login(response, login.token, settings)
    cookies.clear(response, cookies.HALF_LOGIN, settings)
    return response


@router.get(CODE_PAGE)
async def show_code(
    request: Request, settings: SettingsDep, viewer: ViewerDep, wished: Wished = ""
) -> Response:
    """The second step of a log-in, for who did the first."""
    if viewer is not None:
        return RedirectResponse(_onward(viewer, wished), status_code=303)
    if not cookies.read(request, cookies.HALF_LOGIN, settings):
        return RedirectResponse(with_next("/log-in", wished), status_code=303)
    return _code_page(request, Form.of({"next": wished}))


def _code_page(request: Request, form: Form) -> Response:
    return render(request, "accounts/code.html", status=form.status, private=True, form=form)


@router.post(CODE_PAGE)
@limited(LOGIN)
async def take_code(
    request: Request, engines: EnginesDep, viewer: FoundAloneDep, form: FormAloneDep
) -> Response:
    """The cookie of the log-in for a right code."""
    settings = engines.settings
    half = cookies.read(request, cookies.HALF_LOGIN, settings) or ""
    try:
        person_id, _ = tokens.read_half_login(half, settings)
    except Unauthenticated as error:
        onward = with_next("/log-in", form.value("next"))
        return redirect(request, onward, error.message, tone="warn")
    async with form.attempt():
        code = form.parse(CodeInput).code
        await limits.hit_code(engines.limiter, person_id)
        try:
            async with engines.database.transaction() as session:
                login = await logins.complete_web_login(
                    session, half, code, settings, user_agent=_user_agent(request)
                )
                if viewer is not None:
                    await logins.end_login(session, viewer.login_session_id)
        except Invalid:
            async with engines.database.transaction() as session:
                logins.note_refused(session, person_id, step="code")
            raise
        return _logged_in(request, login, form, settings)
    return _code_page(request, form)


@router.post("/log-out")
@limited(WRITES)
async def log_out(
    request: Request, session: SessionDep, settings: SettingsDep, viewer: FoundDep, _form: FormDep
) -> Response:
    """End this log-in. Whoever is logged out already gets the same answer."""
    if viewer is not None:
        await logins.end_login(session, viewer.login_session_id)
    response = redirect(request, "/", "You are logged out.")
    cookies.clear(response, cookies.LOGIN, settings)
    return response
