"""One's own account: name, e-mail address, password."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from jobboard.accounts import addresses, limits, service
from jobboard.accounts.schemas import EmailChange, PersonRead, PersonUpdate
from jobboard.infra.rates import LOGIN, limited
from jobboard.web.deps import (
    ActorAloneDep,
    ActorDep,
    EnginesDep,
    FormAloneDep,
    FormDep,
    SessionDep,
    redirect,
)
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False, prefix="/me")

MAILED = "We mailed a link to {}. Open it there, and the address is yours."
ENOUGH = "We sent you five of these mails today. Look among your spam, or try again tomorrow."


@router.get("")
async def show_me(request: Request, session: SessionDep, actor: ActorDep) -> Response:
    """Name and address."""
    return _me_page(request, await service.get(session, actor.id))


def _me_page(
    request: Request, person: PersonRead, *, name: Form | None = None, email: Form | None = None
) -> Response:
    name = name or Form.of({"full_name": person.full_name})
    email = email or Form()
    return render(
        request,
        "accounts/me.html",
        status=max(name.status, email.status),
        private=True,
        person=person,
        name=name,
        email=email,
    )


@router.post("")
async def change_name(
    request: Request, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """What others call this person."""
    async with form.attempt(session):
        form.require("full_name")
        await service.update_me(session, actor, form.parse(PersonUpdate))
        return redirect(request, "/me", "Your name is changed.")
    return _me_page(request, await service.get(session, actor.id), name=form)


@router.post("/verify-email")
async def ask_to_verify(
    request: Request, session: SessionDep, engines: EnginesDep, actor: ActorDep, _form: FormDep
) -> Response:
    """Mail the link once more."""
    if not await limits.may_mail(engines.limiter, "verify", actor.email):
        return redirect(request, "/me", ENOUGH, tone="warn")
    addresses.ask_to_verify(session, actor)
    return redirect(request, "/me", f"We mailed a link to {actor.email}.")


@router.post("/email")
@limited(LOGIN)
async def ask_to_change_email(
    request: Request, engines: EnginesDep, actor: ActorAloneDep, form: FormAloneDep
) -> Response:
    """Mail a link to the new address."""
    async with engines.database.transaction() as session:
        person = await service.get_account(session, actor.id)
    async with form.attempt():
        data = form.parse(EmailChange)
        await limits.hit_password(engines.limiter, actor.id)
        await service.require_password(person, data.current_password)
        if await limits.may_mail(engines.limiter, "change", data.email):
            async with engines.database.transaction() as session:
                addresses.ask_to_change(session, actor, data.email)
        return redirect(request, "/me", MAILED.format(data.email))
    return _me_page(request, service.read(person), email=form)
