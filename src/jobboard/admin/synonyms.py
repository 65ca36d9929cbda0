"""Words that mean the same to searches, as admins edit them. Who did is in the audit log.

Nobody in particular (None) is whoever has the command line.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action
from jobboard.jobs import synonyms
from jobboard.jobs.synonyms import Synonym, SynonymCreate, SynonymRead, SynonymsRead

TOLD = 300  # characters of terms in the audit log


async def listed(session: AsyncSession, actor: Actor, part: str = "") -> SynonymsRead:
    """All groups, by their first term; or those with a term that `part` is a part of."""
    require(actor, Right.MODERATE)
    found = await synonyms.every(session, part)
    return SynonymsRead(items=[SynonymRead.model_validate(each) for each in found])


async def add(session: AsyncSession, actor: Actor | None, data: SynonymCreate) -> SynonymRead:
    """One more. Raises Conflict, Invalid."""
    if actor:
        require(actor, Right.MODERATE)
    added = await synonyms.add(session, data)
    _record(session, Action.SYNONYM_ADDED, actor, added)
    return SynonymRead.model_validate(added)


async def remove(session: AsyncSession, actor: Actor | None, synonym_id: UUID) -> SynonymRead:
    """One less; which it was. Raises NotFound."""
    if actor:
        require(actor, Right.MODERATE)
    removed = await synonyms.remove(session, synonym_id)
    _record(session, Action.SYNONYM_REMOVED, actor, removed)
    return SynonymRead.model_validate(removed)


def _record(session: AsyncSession, action: Action, actor: Actor | None, group: Synonym) -> None:
    """With the terms: they are words of the language, and nobody's name."""
    audit.record(
        session,
        action,
        person_id=actor.id if actor else None,
        details={"terms": ", ".join(group.terms)[:TOLD], "both_ways": group.both_ways},
    )
