"""Messages that nobody tries again by itself, and what a moderator does about them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action
from jobboard.clock import Moment, now
from jobboard.errors import NotFound
from jobboard.infra import backlog
from jobboard.infra.postgres import RING
from jobboard.infra.queue import Failure, Message
from jobboard.infra.schedule import Schedule
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.schema import Input
from jobboard.webhooks import queries as webhooks
from jobboard.webhooks.schemas import WebhookLine


class FailedMessage(BaseModel):
    """A message that failed for good. It is deleted a month later."""

    id: UUID
    kind: str = Field(examples=["notifications.mail"])
    about: str | None = Field(
        description="Of a mail, which one.", examples=["application_received"]
    )
    person_id: UUID | None = Field(description="Whom it was for, where it was for one person.")
    person_name: str | None
    email: str | None = Field(description="The address, where it is for an address.")
    failure: Failure
    last_error: str
    attempts: int
    created_at: datetime
    failed_at: datetime


class MessageChoice(Input):
    """Which of the failed messages: those of one kind, or all. Those that failed after `before`
    are left alone, so that you act on what you saw."""

    kind: str | None = Field(None, max_length=100)
    failure: Failure | None = None
    before: Moment | None = None


class Step(StrEnum):
    """What a moderator does with a failed message."""

    RETRY = "retry"
    DROP = "drop"


class MessagesTouched(BaseModel):
    """How many messages that was."""

    count: int


class ScheduleRead(BaseModel):
    """Work by the clock: when it is due next, and how it went."""

    name: str
    due_at: datetime
    started_at: datetime | None
    done_at: datetime | None
    failures: int = Field(description="Since it last went well.")
    last_error: str | None


class QueueRead(BaseModel):
    """The queue now."""

    waiting: int = Field(description="Due, and no worker has it yet.")
    postponed: int = Field(description="For later: mostly after a failed try.")
    under_way: int = Field(description="A worker has it now.")
    failed: int = Field(description="Nobody tries it again by itself.")
    oldest_waiting_at: datetime | None
    oldest_waiting_seconds: float
    schedules: list[ScheduleRead]
    webhooks: WebhookLine = Field(description="Deliveries, which have a line of their own.")


async def queue(session: AsyncSession, actor: Actor) -> QueueRead:
    """How many messages wait, and what is due by the clock."""
    require(actor, Right.MODERATE)
    numbers = await backlog.backlog(session)
    rows = await session.scalars(select(Schedule).order_by(Schedule.name))
    return QueueRead(
        waiting=numbers.waiting,
        postponed=numbers.postponed,
        under_way=numbers.under_way,
        failed=numbers.failed,
        oldest_waiting_at=numbers.oldest_at,
        oldest_waiting_seconds=numbers.oldest_seconds,
        webhooks=await webhooks.line(session),
        schedules=[ScheduleRead.model_validate(row, from_attributes=True) for row in rows],
    )


async def failed(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[FailedMessage]:
    """What failed for good, latest first."""
    require(actor, Right.MODERATE)
    statement = (
        select(Message)
        .where(Message.failed_at.is_not(None))
        .order_by(Message.failed_at.desc(), Message.id.desc())
        .limit(limit + 1)
    )
    if before := read_moment_cursor(cursor):
        statement = statement.where(func.row(Message.failed_at, Message.id) < func.row(*before))
    found, more = cut((await session.scalars(statement)).all(), limit)
    last = found[-1] if more else None
    names = await _names(session, found)
    return Page(
        items=[_read(message, names) for message in found],
        next_cursor=moment_cursor(last.failed_at, last.id) if last and last.failed_at else None,
    )


async def _names(session: AsyncSession, found: Sequence[Message]) -> dict[UUID, str]:
    ids = {person for message in found if (person := _person(message))}
    rows = await session.execute(select(Person.id, Person.full_name).where(Person.id.in_(ids)))
    return dict(rows.all())


def _person(message: Message) -> UUID | None:
    try:
        return UUID(message.payload["person_id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _read(message: Message, names: dict[UUID, str]) -> FailedMessage:
    person, payload = _person(message), message.payload
    return FailedMessage(
        id=message.id,
        kind=message.kind,
        about=_text(payload.get("kind")),
        person_id=person if person in names else None,
        person_name=names.get(person) if person else None,
        email=_text(payload.get("email")),
        failure=message.failure or Failure.GAVE_UP,
        last_error=message.last_error or "",
        attempts=message.attempts,
        created_at=message.created_at,
        failed_at=message.failed_at or message.created_at,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


async def retry(session: AsyncSession, actor: Actor, message_id: UUID) -> None:
    """Try one again, from the start. Raises NotFound where it has not failed."""
    _require_one(await _retry(session, actor, Message.id == message_id))


async def retry_all(session: AsyncSession, actor: Actor, choice: MessageChoice) -> int:
    """Try all of a choice again; how many."""
    return await _retry(session, actor, *_chosen(choice))


async def drop(session: AsyncSession, actor: Actor, message_id: UUID) -> None:
    """Forget one for good. Raises NotFound where it has not failed."""
    _require_one(await _drop(session, actor, Message.id == message_id))


async def drop_all(session: AsyncSession, actor: Actor, choice: MessageChoice) -> int:
    """Forget all of a choice; how many."""
    return await _drop(session, actor, *_chosen(choice))


def _require_one(count: int) -> None:
    if not count:
        raise NotFound(
            "There is no such failed message. Somebody may have looked after it already.",
            code="message_not_found",
        )


def _chosen(choice: MessageChoice) -> list[ColumnElement[bool]]:
    wanted = [Message.failed_at <= (choice.before or now())]
    if choice.kind is not None:
        wanted.append(Message.kind == choice.kind)
    if choice.failure is not None:
        wanted.append(Message.failure == choice.failure)
    return wanted


async def _retry(session: AsyncSession, actor: Actor, *which: ColumnElement[bool]) -> int:
    require(actor, Right.MODERATE)
    fresh = {
        "failed_at": None,
        "failure": None,
        "handed_over_at": None,
        "attempts": 0,
        "available_at": now(),
    }
    changed = await session.scalars(
        update(Message)
        .where(Message.failed_at.is_not(None), *which)
        .values(fresh)
        .returning(Message.kind)
        .execution_options(synchronize_session=False)
    )
    session.info[RING] = True
    return _tell(session, actor, Action.MESSAGES_RETRIED, changed.all())


async def _drop(session: AsyncSession, actor: Actor, *which: ColumnElement[bool]) -> int:
    require(actor, Right.MODERATE)
    gone = await session.scalars(
        delete(Message)
        .where(Message.failed_at.is_not(None), *which)
        .returning(Message.kind)
        .execution_options(synchronize_session=False)
    )
    return _tell(session, actor, Action.MESSAGES_DROPPED, gone.all())


def _tell(session: AsyncSession, actor: Actor, action: Action, kinds: Sequence[str]) -> int:
    """The audit log hears what kinds they were, and how many; nothing where there were none."""
    if kinds:
        details = {"messages": len(kinds), "kinds": ", ".join(sorted(set(kinds)))[:500]}
        audit.record(session, action, person_id=actor.id, details=details)
    return len(kinds)


ONE = {Step.RETRY: retry, Step.DROP: drop}
ALL = {Step.RETRY: retry_all, Step.DROP: drop_all}
