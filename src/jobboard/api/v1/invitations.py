"""Invitations to act for a company, for those who get them and those who sent them."""

from typing import Annotated

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor, TokenOfLink
from jobboard.api.deps import PathId, SessionDep, SettingsDep, acts
from jobboard.api.route import Router
from jobboard.companies import invitations, queries
from jobboard.companies.schemas import CompanyRead
from jobboard.infra.rates import LOGIN, limited

router = Router(prefix="/invitations", tags=["companies"])


@router.post("/accept")
@limited(LOGIN)
async def accept_invitation(
    data: TokenOfLink,
    session: SessionDep,
    settings: SettingsDep,
    actor: Annotated[Actor, acts(Right.OFFER_WORK)],
) -> CompanyRead:
    """Act for a company from now on, with the token that was mailed to your address."""
    company_id = await invitations.accept(session, actor, data.token, settings)
    return CompanyRead.model_validate(await queries.get(session, company_id))


@router.delete("/{id}", status_code=204)
async def withdraw_invitation(
    invitation_id: PathId,
    session: SessionDep,
    actor: Annotated[Actor, acts(Right.MANAGE_COMPANY)],
) -> None:
    """Withdraw an open invitation: its link works no longer.

    Its id stands as `invitation_id` in GET /companies/{id}/members.
    """
    await invitations.withdraw(session, actor, invitation_id)
