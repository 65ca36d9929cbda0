"""Companies with an owner."""

from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies import service
from jobboard.companies.models import Company
from jobboard.companies.schemas import CompanyCreate
from tests.factories.people import User

_numbers = count(1)


async def make_company(session: AsyncSession, owner: User, name: str | None = None) -> Company:
    """A company of this employer. Committed."""
    data = CompanyCreate(name=name or f"Company {next(_numbers)}")
    company = await service.create(session, owner.actor, data)
    await session.commit()
    return company
