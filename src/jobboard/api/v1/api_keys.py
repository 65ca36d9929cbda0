"""API keys of companies: make, see, revoke."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.deps import LIMIT, Cursor, Limit, PathId, SessionDep, acts
from jobboard.api.idempotency import Idempotent
from jobboard.api.route import Router
from jobboard.companies import keys
from jobboard.companies.schemas import ApiKeyCreate, ApiKeyMade, ApiKeyRead
from jobboard.pagination import Page

router = Router(prefix="/api-keys", tags=["api keys"])

OwnerDep = Annotated[Actor, acts(Right.MANAGE_KEYS)]


@router.get("")
async def list_api_keys(
    session: SessionDep,
    actor: OwnerDep,
    company_id: Annotated[UUID | None, Query(description="Of this company only.")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[ApiKeyRead]:
    """The keys of the companies that I own, newest first. Their secrets are not kept."""
    return await keys.list_keys(session, actor, company_id=company_id, cursor=cursor, limit=limit)


@router.post("", status_code=201, dependencies=[Depends(Idempotent(secrets=("key",)))])
async def create_api_key(data: ApiKeyCreate, session: SessionDep, actor: OwnerDep) -> ApiKeyMade:
    """Make a key for a company that I own.

    `key` is in this answer only: keep it where your program finds it. It acts for the company
    with the scopes that you give it, whoever works there, until it expires or is revoked.
    """
    return await keys.make(session, actor, data)


@router.delete("/{id}", status_code=204)
async def revoke_api_key(key_id: PathId, session: SessionDep, actor: OwnerDep) -> None:
    """Revoke a key. It is refused from then on."""
    await keys.revoke(session, actor, key_id)
