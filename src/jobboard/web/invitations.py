"""Where the link of an invitation leads. As with every link of ours, a GET only shows a button."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts.may import Right, may
from jobboard.accounts.schemas import Actor, TokenOfLink
from jobboard.companies import invitations, queries
from jobboard.companies.schemas import CompanyBrief
from jobboard.errors import Invalid
from jobboard.infra.rates import LOGIN, limited
from jobboard.web.accounts import with_next
from jobboard.web.deps import ActorDep, FormDep, SessionDep, SettingsDep, ViewerDep, redirect
from jobboard.web.desk import EmployerDep, href
from jobboard.web.forms import Form
from jobboard.web.links import HEADERS, TO_TOP
from jobboard.web.rendering import engines_of, render

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Query(max_length=200)]


@router.get(invitations.PAGE)
async def show_invitation(
    request: Request, session: SessionDep, viewer: ViewerDep, token: Token = ""
) -> Response:
    """Who invites, to what; and what is still missing to accept."""
    return await _page(request, session, viewer, Form.of({"token": token}))


async def _page(
    request: Request, session: AsyncSession, viewer: Actor | None, form: Form
) -> Response:
    token = form.value("token")
    try:
        told = {} if form.refused else await _told(request, session, viewer, token)
    except Invalid as error:
        told = {}
        form.refuse(error, TO_TOP)
    here = href(invitations.PAGE, token=token)
    return render(
        request,
        "companies/invitation.html",
        status=form.status,
        private=True,
        headers=HEADERS,
        form=form,
        log_in_href=with_next("/log-in", here),
        sign_up_href=with_next("/sign-up", here) + "&role=employer",
        **told,
    )


async def _told(
    request: Request, session: AsyncSession, viewer: Actor | None, token: str
) -> dict[str, Any]:
    """What the page says of an open invitation to this viewer."""
    invitation = await invitations.peek(session, token, engines_of(request).settings)
    company = await queries.get(session, invitation.company_id)
    return {
        "invitation": invitation,
        "company": CompanyBrief.model_validate(company),
        "theirs": viewer is not None and invitations.is_for(viewer, invitation),
        "employer": may(viewer, Right.OFFER_WORK),
    }


@router.post(invitations.PAGE)
@limited(LOGIN)
async def accept_invitation(
    request: Request, session: SessionDep, settings: SettingsDep, actor: ActorDep, form: FormDep
) -> Response:
    """Accept it."""
    async with form.attempt(session, TO_TOP):
        token = form.parse(TokenOfLink).token
        company_id = await invitations.accept(session, actor, token, settings)
        company = await queries.get(session, company_id)
        text = f"You act for {company.name} now."
        return redirect(request, f"/employer?company={company_id}", text)
    return await _page(request, session, actor, form)


@router.post("/employer/invitations/{invitation_id}/withdraw")
async def withdraw_invitation(
    request: Request, invitation_id: UUID, session: SessionDep, actor: EmployerDep, _form: FormDep
) -> Response:
    """Make an invitation useless."""
    company_id = await invitations.withdraw(session, actor, invitation_id)
    text = "The invitation is withdrawn. Its link works no longer."
    return redirect(request, f"/employer/companies/{company_id}#team", text)
