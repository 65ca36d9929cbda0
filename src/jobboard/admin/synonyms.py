"""Words that mean the same to searches, as admins edit them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.jobs import synonyms
from jobboard.jobs.synonyms import SynonymCreate, SynonymRead, SynonymsRead


async def listed(session: AsyncSession, actor: Actor) -> SynonymsRead:
    """All groups, by their first term."""
    require(actor, Right.MODERATE)
    found = await synonyms.every(session)
    return SynonymsRead(items=[SynonymRead.model_validate(each) for each in found])


async def add(session: AsyncSession, actor: Actor, data: SynonymCreate) -> SynonymRead:
    """One more. Raises Conflict, Invalid."""
    require(actor, Right.MODERATE)
    return SynonymRead.model_validate(await synonyms.add(session, data))


async def remove(session: AsyncSession, actor: Actor, synonym_id: UUID) -> None:
    """One less. Raises NotFound."""
    require(actor, Right.MODERATE)
    await synonyms.remove(session, synonym_id)
