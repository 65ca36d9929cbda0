"""Companies, and who acts for them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, Who, may
from jobboard.accounts.may import require as require_may
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.companies.models import Company, CompanyMember, MemberRole
from jobboard.errors import NotFound

RELATIONS: dict[MemberRole | None, tuple[Who, ...]] = {
    None: (),
    MemberRole.RECRUITER: (Who.MEMBER,),
    MemberRole.OWNER: (Who.MEMBER, Who.OWNER),
}


async def get(session: AsyncSession, company_id: UUID) -> Company:
    """One company, or NotFound. Companies are public."""
    company = await session.get(Company, company_id)
    if company is None:
        raise _not_found()
    return company


async def get_keeping_name(session: AsyncSession, company_id: UUID) -> Company:
    """The same, and its name stays until the transaction ends: for rows that carry a copy of it."""
    statement = select(Company).where(Company.id == company_id)
    locked = statement.with_for_update(read=True, key_share=True)
    company = await session.scalar(locked.execution_options(populate_existing=True))
    if company is None:
        raise _not_found()
    return company


async def get_by_slug(session: AsyncSession, slug: str) -> Company:
    """One company by its address, or NotFound."""
    company = await session.scalar(select(Company).where(Company.slug == slug))
    if company is None:
        raise _not_found()
    return company


def _not_found() -> NotFound:
    return NotFound("There is no such company.", code="company_not_found")


async def role_of(session: AsyncSession, actor: Actor, company_id: UUID) -> MemberRole | None:
    """What `actor` is for the company, if anything. Its API key does what a recruiter does."""
    if actor.is_key:
        return MemberRole.RECRUITER if actor.company_id == company_id else None
    return await session.scalar(
        select(CompanyMember.role).where(
            CompanyMember.company_id == company_id, CompanyMember.person_id == actor.id
        )
    )


def acted_for(viewer: Actor, company_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether `viewer` acts for the company of this column."""
    if viewer.is_key:
        return company_id == viewer.company_id
    return company_id.in_(
        select(CompanyMember.company_id).where(CompanyMember.person_id == viewer.id)
    )


async def relation(session: AsyncSession, actor: Actor, company_id: UUID) -> tuple[Who, ...]:
    """What `actor` is to the company, as `accounts/may.py` asks."""
    role = await role_of(session, actor, company_id)
    return (*RELATIONS[role], Who.KEY) if actor.is_key and role else RELATIONS[role]


async def require(session: AsyncSession, actor: Actor, right: Right, company_id: UUID) -> None:
    """Raise Forbidden unless `actor` may do this with what is the company's."""
    require_may(actor, right, *await relation(session, actor, company_id))


async def acts_for(session: AsyncSession, viewer: Actor | None, company_id: UUID) -> bool:
    """Whether this is one of the company's people, or a moderator."""
    if viewer is None:
        return False
    return may(viewer, Right.SEE_JOB, *await relation(session, viewer, company_id))


def of_member(person_id: UUID) -> Select[Company]:
    """The companies that a person acts for, by name."""
    return (
        select(Company)
        .join(CompanyMember, CompanyMember.company_id == Company.id)
        .where(CompanyMember.person_id == person_id)
        .order_by(func.lower(Company.name), Company.id)
    )


def owned_by(person_id: UUID) -> Select[Company]:
    """The companies that a person owns, by name."""
    return of_member(person_id).where(CompanyMember.role == MemberRole.OWNER)


def listed(*, after: tuple[str, UUID] | None, limit: int, q: str | None) -> Select[Company]:
    """Every company by name, one page and one more."""
    statement = select(Company).order_by(func.lower(Company.name), Company.id).limit(limit + 1)
    if q:
        statement = statement.where(func.lower(Company.name).contains(q.lower(), autoescape=True))
    if after:
        statement = statement.where(
            func.row(func.lower(Company.name), Company.id) > func.row(*after)
        )
    return statement


def members(company_id: UUID) -> Select[UUID, str, str, MemberRole, int | None, datetime]:
    """The people of a company, longest first."""
    return (
        select(
            CompanyMember.person_id,
            Person.full_name,
            Person.email,
            CompanyMember.role,
            case((CompanyMember.role != MemberRole.OWNER, CompanyMember.spending_limit)).label(
                "spending_limit"
            ),
            CompanyMember.created_at,
        )
        .join(Person, Person.id == CompanyMember.person_id)
        .where(CompanyMember.company_id == company_id)
        .order_by(CompanyMember.created_at, CompanyMember.person_id)
    )


def member_with(company_id: UUID, email: str) -> Select[Person]:
    """Who acts for a company, by their address."""
    return (
        select(Person)
        .join(CompanyMember, CompanyMember.person_id == Person.id)
        .where(CompanyMember.company_id == company_id, func.lower(Person.email) == email.lower())
    )


async def owner_ids(session: AsyncSession, company_id: UUID) -> list[UUID]:
    """Who gets news that only owners can act upon."""
    rows = await session.scalars(
        select(CompanyMember.person_id)
        .join(Person, Person.id == CompanyMember.person_id)
        .where(
            CompanyMember.company_id == company_id,
            CompanyMember.role == MemberRole.OWNER,
            Person.suspended_at.is_(None),
        )
    )
    return list(rows)


async def member_ids(session: AsyncSession, company_id: UUID) -> list[UUID]:
    """Who gets a company's news."""
    rows = await session.scalars(
        select(CompanyMember.person_id)
        .join(Person, Person.id == CompanyMember.person_id)
        .where(CompanyMember.company_id == company_id, Person.suspended_at.is_(None))
    )
    return list(rows)
