"""Credits."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.wallet import queries, service
from jobboard.wallet.schemas import GrantCreate, WalletRead


async def make_wallet(
    session: AsyncSession,
    *,
    person: UUID | None = None,
    company: UUID | None = None,
    holds: int = 0,
) -> WalletRead:
    """The wallet of this person or company, with so much in it. Committed."""
    if company is not None:
        wallet = await queries.of_company(session, company)
    else:
        assert person is not None
        wallet = await queries.of_person(session, person)
    if holds:
        await service.issue(session, None, wallet, GrantCreate(amount=holds))
    await session.commit()
    return wallet
