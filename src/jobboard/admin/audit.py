"""The audit log as moderators read it: with the names that stand behind the ids."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.accounts.may import Right, require
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.audit.models import Action, AuditEntry, Subject
from jobboard.clock import AskedMoment
from jobboard.companies.models import Company
from jobboard.jobs.models import Job
from jobboard.pagination import (
    DEFAULT_LIMIT,
    Limit,
    Page,
    cut,
    moment_cursor,
    read_moment_cursor,
)
from jobboard.schema import Input

about = aliased(Person)


class AuditSearch(Input):
    """Which entries. All that is given must fit."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    actor: UUID | None = Field(None, description="The person who did it.")
    action: Action | None = Field(None, description="What happened.")
    subject: UUID | None = Field(None, description="The person, company or job it was done to.")
    since: AskedMoment | None = Field(None, alias="from", description="Not before this moment.")
    until: AskedMoment | None = Field(None, alias="to", description="Before this moment.")
    cursor: str | None = Field(
        None, max_length=500, description="`next_cursor` of the page before."
    )
    limit: Limit = DEFAULT_LIMIT


class AuditParty(BaseModel):
    """Who did it. `system` is the board itself, or its command line."""

    kind: str = Field(examples=["person", "key", "system"])
    id: UUID | None
    name: str | None = Field(description="Null where the person is erased.")


class AuditSubject(BaseModel):
    """What it was done to."""

    kind: Subject
    id: UUID
    name: str | None = Field(description="Its name or title now; null where it is gone.")


class AuditRead(BaseModel):
    """One event. `address` is the network it came from, never the whole address."""

    id: UUID
    at: datetime
    action: Action
    actor: AuditParty
    subject: AuditSubject | None
    details: dict[str, Any]
    address: str
    request_id: str


async def entries(session: AsyncSession, actor: Actor, wanted: AuditSearch) -> Page[AuditRead]:
    """What happened, newest first."""
    require(actor, Right.MODERATE)
    rows, more = cut((await session.execute(_listed(wanted))).all(), wanted.limit)
    last = rows[-1] if more else None
    return Page(
        items=[_read(row) for row in rows],
        next_cursor=moment_cursor(last.at, last.id) if last else None,
    )


def _listed(wanted: AuditSearch) -> Select[Any]:
    """One page and one more. The names come from wherever the subject's kind says."""
    entry, before = AuditEntry, read_moment_cursor(wanted.cursor)
    name = case(
        (entry.subject_kind == Subject.PERSON, about.full_name),
        (entry.subject_kind == Subject.COMPANY, Company.name),
        (entry.subject_kind == Subject.JOB, Job.title),
    )
    statement = (
        select(*entry.__table__.c, Person.full_name, name.label("subject_name"))
        .outerjoin(Person, Person.id == entry.person_id)
        .outerjoin(about, _is(Subject.PERSON, about.id))
        .outerjoin(Company, _is(Subject.COMPANY, Company.id))
        .outerjoin(Job, _is(Subject.JOB, Job.id))
        .where(*_matching(wanted))
        .order_by(entry.at.desc(), entry.id.desc())
        .limit(wanted.limit + 1)
    )
    return (
        statement.where(func.row(entry.at, entry.id) < func.row(*before)) if before else statement
    )


def _is(kind: Subject, row_id: Any) -> ColumnElement[bool]:
    return and_(AuditEntry.subject_kind == kind, AuditEntry.subject_id == row_id)


def _matching(wanted: AuditSearch) -> list[ColumnElement[bool]]:
    entry, where = AuditEntry, list[ColumnElement[bool]]()
    if wanted.actor:
        where.append(or_(entry.person_id == wanted.actor, entry.key_id == wanted.actor))
    if wanted.action:
        where.append(entry.action == wanted.action)
    if wanted.subject:
        where.append(entry.subject_id == wanted.subject)
    if wanted.since:
        where.append(entry.at >= wanted.since)
    if wanted.until:
        where.append(entry.at < wanted.until)
    return where


def _read(row: Row[Any]) -> AuditRead:
    kind = "key" if row.key_id else "person" if row.person_id else "system"
    return AuditRead(
        id=row.id,
        at=row.at,
        action=Action(row.action),
        actor=AuditParty(kind=kind, id=row.key_id or row.person_id, name=row.full_name),
        subject=AuditSubject(kind=row.subject_kind, id=row.subject_id, name=row.subject_name)
        if row.subject_id
        else None,
        details=row.details,
        address=row.address,
        request_id=row.request_id,
    )
