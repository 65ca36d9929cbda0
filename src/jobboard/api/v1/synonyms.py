"""Words that mean the same to searches, for admins."""

from typing import Annotated

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.admin import synonyms
from jobboard.api.deps import PathId, SessionDep, acts
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.jobs.synonyms import SynonymCreate, SynonymRead, SynonymsRead

router = Router(prefix="/admin/synonyms", tags=["moderation"])

ModeratorDep = Annotated[Actor, acts(Right.MODERATE)]


@router.get("")
async def list_synonyms(session: SessionDep, actor: ModeratorDep) -> SynonymsRead:
    """Groups of terms that mean the same to searches, by their first term. All of them."""
    return await synonyms.listed(session, actor)


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
async def create_synonym(
    data: SynonymCreate, session: SessionDep, actor: ModeratorDep
) -> SynonymRead:
    """Let terms mean the same, from the next search on. Saved searches follow within a minute."""
    return await synonyms.add(session, actor, data)


@router.delete("/{id}", status_code=204)
async def delete_synonym(synonym_id: PathId, session: SessionDep, actor: ModeratorDep) -> None:
    """Let a group of terms be what they are again."""
    await synonyms.remove(session, actor, synonym_id)
