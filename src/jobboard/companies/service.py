"""The verbs of companies: create, change, show a logo, let people in and out."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.companies import invitations, queries
from jobboard.companies.models import Company, CompanyMember, MemberRole
from jobboard.companies.schemas import (
    CompanyCreate,
    CompanyRead,
    CompanyUpdate,
    MemberAdd,
    MemberRead,
)
from jobboard.errors import Conflict, NotFound, require_version
from jobboard.infra.limiter import Limiter
from jobboard.infra.pictures import Picture
from jobboard.infra.richtext import markdown_to_html
from jobboard.infra.slugs import slugify, unique_slug
from jobboard.infra.storage import Storage
from jobboard.pagination import Page, cut, decode_cursor, encode_cursor, read_id
from jobboard.settings import Settings
from jobboard.uploads import service as uploads
from jobboard.uploads.images import file_key
from jobboard.uploads.models import Upload, UploadKind


async def create(session: AsyncSession, actor: Actor, data: CompanyCreate) -> Company:
    """Make a company that `actor` owns. Candidates cannot: they sign up as employers for that."""
    require(actor, Right.OFFER_WORK)
    company = Company(
        name=data.name,
        slug=slugify(data.name) or unique_slug(),
        website=data.website,
        description=data.description,
        description_html=markdown_to_html(data.description),
    )
    try:
        async with session.begin_nested():
            session.add(company)
    except IntegrityError:  # another company of this name has the plain address
        company.slug = unique_slug(data.name)
        session.add(company)
        await session.flush()
    session.add(CompanyMember(company_id=company.id, person_id=actor.id, role=MemberRole.OWNER))
    await session.flush()
    return company


async def list_companies(
    session: AsyncSession,
    member: Actor | None = None,
    *,
    q: str | None,
    cursor: str | None,
    limit: int,
) -> Page[CompanyRead]:
    """Every company by name, or those that `member` acts for; `q` is part of a name."""
    statement = queries.listed(after=_read_cursor(cursor), limit=limit, q=q)
    if member:
        statement = statement.where(queries.acted_for(member, Company.id))
    found, more = cut((await session.scalars(statement)).all(), limit)
    last = found[-1] if more else None
    return Page(
        items=[CompanyRead.model_validate(company) for company in found],
        next_cursor=encode_cursor(last.name.lower(), str(last.id)) if last else None,
    )


def _read_cursor(cursor: str | None) -> tuple[str, UUID] | None:
    if cursor is None:
        return None
    name, row_id = decode_cursor(cursor, str, str)
    return name, read_id(row_id)


async def change(
    session: AsyncSession, actor: Actor, company_id: UUID, data: CompanyUpdate
) -> Company:
    """Change what is given. Raises NotFound, Forbidden, Conflict (another `version`)."""
    company = await queries.get(session, company_id)
    await queries.require(session, actor, Right.MANAGE_COMPANY, company_id)
    require_version(company.version, data.version, "this company")
    given = data.model_fields_set
    if "name" in given:
        _rename(session, actor, company, data.name)
    if "website" in given:
        company.website = data.website
    if "description" in given:
        company.description = data.description or ""
        company.description_html = markdown_to_html(company.description)
    await session.flush()
    return company


def _rename(session: AsyncSession, actor: Actor, company: Company, name: str) -> None:
    """Live ads carry the name at once, so moderators get to see it, and what it was before."""
    if name == company.name:
        return
    known, company.name = company.former_name or company.name, name
    back = actor.is_admin or name == known
    company.former_name = None if back else known
    company.renamed_at = None if back else company.renamed_at or now()
    _record(session, Action.COMPANY_RENAMED, actor, company.id, {})


async def see_name(session: AsyncSession, actor: Actor, company_id: UUID, name: str) -> Company:
    """A moderator looked at a new name, and it may stay. Raises Conflict when it is another now."""
    require(actor, Right.MODERATE)
    company = await queries.get(session, company_id)
    await session.refresh(company, with_for_update=True)
    if company.name != name:
        raise Conflict(
            f"This company is called “{company.name}” by now. Look at that name first.",
            code="edited_meanwhile",
        )
    company.former_name = company.renamed_at = None
    _record(session, Action.COMPANY_NAME_SEEN, actor, company_id, {})
    await session.flush()
    return company


async def show_logo(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    actor: Actor,
    company_id: UUID,
    picture: Picture,
    *,
    filename: str | None,
) -> Company:
    """Keep a picture and show it as the company's logo; the one before is forgotten.

    Raises NotFound, Forbidden, and TooLarge when it is too much for the files of `actor`.
    """
    await require_manager(session, actor, company_id)
    upload = await uploads.add_picture(
        session, storage, settings, actor.id, picture, filename=filename, kind=UploadKind.LOGO
    )
    return await _set_logo(session, company_id, logo_key_of(upload))


async def remove_logo(session: AsyncSession, actor: Actor, company_id: UUID) -> Company:
    """Show no logo any more."""
    await require_manager(session, actor, company_id)
    return await _set_logo(session, company_id, None)


async def require_manager(session: AsyncSession, actor: Actor, company_id: UUID) -> None:
    """Raise NotFound or Forbidden unless `actor` may change this company."""
    await queries.get(session, company_id)
    await queries.require(session, actor, Right.MANAGE_COMPANY, company_id)


def logo_key_of(upload: Upload) -> str:
    """The file of a picture that pages show; its AVIF lies beside it."""
    return file_key(upload.key, "logo", "WEBP")


async def _set_logo(session: AsyncSession, company_id: UUID, logo_key: str | None) -> Company:
    company = await queries.get(session, company_id)
    await session.refresh(company, with_for_update=True)  # two at once must not leave a file behind
    before, company.logo_key = company.logo_key, logo_key
    await session.flush()
    if before:
        await uploads.forget_logo(session, before)
    return company


async def list_members(session: AsyncSession, actor: Actor, company_id: UUID) -> list[MemberRead]:
    """The people of a company, for themselves; its owners see whom they have invited, too."""
    await queries.get(session, company_id)
    await queries.require(session, actor, Right.SEE_COMPANY, company_id)
    rows = await session.execute(queries.members(company_id))
    members = [MemberRead.of_member(**row) for row in rows.mappings()]
    return members + await invitations.list_open(session, actor, company_id)


async def add_member(
    session: AsyncSession, limiter: Limiter, actor: Actor, company_id: UUID, data: MemberAdd
) -> MemberRead:
    """Invite someone to act for the company, or change what a member is for it.

    Who is no member has to say yes first; see `invitations`.
    """
    await queries.get(session, company_id)
    await queries.require(session, actor, Right.MANAGE_COMPANY, company_id)
    person = await session.scalar(queries.member_with(company_id, data.email))
    if person is None:
        return await invitations.invite(session, limiter, actor, company_id, data)
    return await _change_member(session, actor, company_id, person, data)


async def _change_member(
    session: AsyncSession, actor: Actor, company_id: UUID, person: Person, data: MemberAdd
) -> MemberRead:
    if data.role is not MemberRole.OWNER:
        await _keep_an_owner(session, company_id, person.id)
    given = data.model_dump(include={"role", "spending_limit"}, exclude_none=True)
    member = await session.get(
        CompanyMember, (company_id, person.id), with_for_update=True, populate_existing=True
    )
    if member is None:  # left at this moment
        raise _member_not_found()
    for name, value in given.items():
        setattr(member, name, value)
    await session.flush()
    about = {"member": str(person.id), **given}
    _record(session, Action.COMPANY_MEMBER_SET, actor, company_id, about)
    return MemberRead.of_member(
        person_id=person.id,
        full_name=person.full_name,
        email=person.email,
        role=member.role,
        spending_limit=None if member.role is MemberRole.OWNER else member.spending_limit,
        created_at=member.created_at,
    )


def _record(
    session: AsyncSession, action: Action, actor: Actor, company_id: UUID, details: dict[str, Any]
) -> None:
    about = (Subject.COMPANY, company_id)
    audit.record(session, action, person_id=actor.id, subject=about, details=details)


async def remove_member(
    session: AsyncSession, actor: Actor, company_id: UUID, person_id: UUID
) -> None:
    """Let someone go. Anyone may leave; only owners send others away; one owner stays."""
    await queries.get(session, company_id)
    right = Right.LEAVE_COMPANY if person_id == actor.id else Right.MANAGE_COMPANY
    await queries.require(session, actor, right, company_id)
    await _keep_an_owner(session, company_id, person_id)
    removed = await session.scalar(
        delete(CompanyMember)
        .where(CompanyMember.company_id == company_id, CompanyMember.person_id == person_id)
        .returning(CompanyMember.person_id)
    )
    if removed is None:
        raise _member_not_found()
    about = {"member": str(person_id)}
    _record(session, Action.COMPANY_MEMBER_REMOVED, actor, company_id, about)


def _member_not_found() -> NotFound:
    return NotFound("This person does not act for this company.", code="member_not_found")


async def _keep_an_owner(session: AsyncSession, company_id: UUID, leaving: UUID) -> None:
    """Refuse to take the last owner away. The company's row is locked, so that two cannot race."""
    await session.execute(select(Company.id).where(Company.id == company_id).with_for_update())
    owners = set(
        await session.scalars(
            select(CompanyMember.person_id).where(
                CompanyMember.company_id == company_id, CompanyMember.role == MemberRole.OWNER
            )
        )
    )
    if owners == {leaving}:
        raise Conflict(
            "This is the company's only owner. Make someone else an owner first.",
            code="last_owner",
        )
