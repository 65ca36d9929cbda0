"""Addresses that take no mail: what that means for whose they are, and how moderators see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor, Email
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.errors import NotFound
from jobboard.notifications import blocks
from jobboard.notifications.models import BlockReason, MailBlock
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.schema import Input


class MailBlockRead(BaseModel):
    """An address that gets no more mail, and why."""

    id: UUID
    email: str
    reason: BlockReason
    detail: str = Field(description="What the mail server said.")
    created_at: datetime
    person_id: UUID | None = Field(description="Whose address it is now.")
    person_name: str | None


class MailBlockCreate(Input):
    """An address that no mail reaches, as a bounce told you."""

    email: Email
    detail: str = Field("", max_length=500)


async def block(session: AsyncSession, email: str, reason: BlockReason, detail: str) -> None:
    """Mail nothing more there. Whose address it is must verify it anew."""
    await blocks.block(session, email, reason, detail)
    await session.execute(
        update(Person)
        .where(func.lower(Person.email) == email.lower())
        .values(email_verified_at=None)
        .execution_options(synchronize_session=False)
    )


async def listed(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[MailBlockRead]:
    """Every such address, latest first."""
    require(actor, Right.MODERATE)
    own = func.lower(Person.email) == func.lower(MailBlock.email)
    statement = (
        select(
            *MailBlock.__table__.c,
            Person.id.label("person_id"),
            Person.full_name.label("person_name"),
        )
        .outerjoin(Person, own)
        .order_by(MailBlock.created_at.desc(), MailBlock.id.desc())
        .limit(limit + 1)
    )
    if before := read_moment_cursor(cursor):
        place = func.row(MailBlock.created_at, MailBlock.id)
        statement = statement.where(place < func.row(*before))
    rows, more = cut((await session.execute(statement)).all(), limit)
    last = rows[-1] if more else None
    return Page(
        items=[MailBlockRead(**row._mapping) for row in rows],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def report(session: AsyncSession, actor: Actor, data: MailBlockCreate) -> MailBlockRead:
    """A moderator, or a program that reads bounces in their name, says that no mail arrives."""
    require(actor, Right.MODERATE)
    await block(session, data.email, BlockReason.REPORTED, data.detail)
    await _tell(session, actor, Action.MAIL_BLOCKED, data.email)
    own = func.lower(MailBlock.email) == data.email.lower()
    person = (
        select(Person.id, Person.full_name)
        .where(func.lower(Person.email) == data.email.lower())
        .limit(1)
    )
    found = (await session.execute(person)).first()
    row = (await session.scalars(select(MailBlock).where(own))).one()
    return MailBlockRead(
        id=row.id,
        email=row.email,
        reason=row.reason,
        detail=row.detail,
        created_at=row.created_at,
        person_id=found.id if found else None,
        person_name=found.full_name if found else None,
    )


async def allow(session: AsyncSession, actor: Actor, block_id: UUID) -> None:
    """Mail there again: it was a mistake. Raises NotFound."""
    require(actor, Right.MODERATE)
    email = await session.scalar(
        delete(MailBlock).where(MailBlock.id == block_id).returning(MailBlock.email)
    )
    if email is None:
        raise NotFound("This address is not shut out from mail.", code="mail_block_not_found")
    await _tell(session, actor, Action.MAIL_ALLOWED, email)


async def _tell(session: AsyncSession, actor: Actor, action: Action, email: str) -> None:
    """The audit log holds ids, no addresses."""
    person = await session.scalar(
        select(Person.id).where(func.lower(Person.email) == email.lower())
    )
    about = (Subject.PERSON, person) if person else None
    audit.record(session, action, person_id=actor.id, subject=about)
