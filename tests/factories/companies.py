"""Companies with an owner."""

from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies import invitations, service
from jobboard.companies.models import Company, CompanyInvitation, CompanyMember, MemberRole
from jobboard.companies.schemas import CompanyCreate
from tests.factories.people import User

_numbers = count(1)


async def make_company(session: AsyncSession, owner: User, name: str | None = None) -> Company:
    """A company of this employer. Committed."""
    data = CompanyCreate(name=name or f"Company {next(_numbers)}")
    company = await service.create(session, owner.actor, data)
    await session.commit()
    return company


async def make_member(
    session: AsyncSession, company: Company, user: User, role: MemberRole = MemberRole.RECRUITER
) -> None:
    """Someone who accepted an invitation to act for it. Committed."""
    session.add(CompanyMember(company_id=company.id, person_id=user.id, role=role))
    await session.commit()


async def make_invitation(
    session: AsyncSession, company: Company, owner: User, email: str
) -> CompanyInvitation:
    """Someone who was asked to act for it as a recruiter. Committed; no letter goes out."""
    invitation = CompanyInvitation(
        company_id=company.id,
        email=email,
        role=MemberRole.RECRUITER,
        invited_by=owner.id,
        expires_at=now() + invitations.LIVES,
    )
    session.add(invitation)
    await session.commit()
    return invitation
