"""What the pages of employers and of moderators share: who may come in, and how a step ends."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.companies import queries as companies
from jobboard.settings import Settings
from jobboard.web import cookies
from jobboard.web.deps import ActorAloneDep, ActorDep, redirect
from jobboard.web.forms import Form

Cursor = Annotated[str | None, Query(max_length=500)]


def get_employer(actor: ActorDep) -> Actor:
    """Who is logged in, unless they came to look for work."""
    require(actor, Right.OFFER_WORK)
    return actor


def get_employer_alone(actor: ActorAloneDep) -> Actor:
    """The same for what must hold no transaction while it waits."""
    return get_employer(actor)


def get_admin(actor: ActorDep) -> Actor:
    """Who is logged in, if they moderate."""
    require(actor, Right.MODERATE)
    return actor


def get_admin_alone(actor: ActorAloneDep) -> Actor:
    """The same for what must hold no transaction while it waits."""
    return get_admin(actor)


EmployerDep = Annotated[Actor, Depends(get_employer)]
EmployerAloneDep = Annotated[Actor, Depends(get_employer_alone)]
AdminDep = Annotated[Actor, Depends(get_admin)]
AdminAloneDep = Annotated[Actor, Depends(get_admin_alone)]


def href(path: str, **query: object) -> str:
    """An address with the parameters that are not None."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


async def owned_choices(session: AsyncSession, actor: Actor) -> list[tuple[str, str]]:
    """The companies that they own, as a form offers them: id and name."""
    own = await session.scalars(companies.owned_by(actor.id))
    return [(str(company.id), company.name) for company in own]


def once_id(settings: Settings, kind: str, actor: Actor, company_id: UUID, form: Form) -> UUID:
    """An id for what this form makes, so that it makes one; nobody can choose it. The form's
    `once` is random."""
    once = f"{actor.login_session_id}:{company_id}:{form.value('once')}"
    return UUID(cookies.sign(settings, kind, once)[:32], version=4)


def outcome(request: Request, form: Form, to: str, text: str) -> RedirectResponse:
    """Go on after a form without fields to mend, and say there what was done, or why not."""
    if form.refused:
        said = [message for messages in form.errors.values() for message in messages]
        return redirect(request, to, " ".join(said), tone="warn")
    return redirect(request, to, text)
