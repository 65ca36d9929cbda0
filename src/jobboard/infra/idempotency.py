"""Answers to requests that carried an Idempotency-Key, kept for a day to be given again.

A row is claimed in the transaction of the effect and filled before its commit: there is an answer
if, and only if, there is an effect. The unique key makes a parallel request wait for that commit.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import (
    ForeignKey,
    Function,
    Index,
    LargeBinary,
    Uuid,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.clock import now
from jobboard.errors import Conflict, Invalid
from jobboard.infra.postgres import LOCK_TIMEOUT_MS, Base, CreatedAt

KEEP = timedelta(hours=24)
WAIT_MS = 2000  # for a parallel request with the same key; then it is a Conflict
BATCH = 1000
LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE


class KeptAnswer(Base):
    """One answer. `id` is a keyed hash of who asked what under which key, `fingerprint` one of
    what they sent: a body may hold a password, so that not even its plain hash is kept."""

    __tablename__ = "kept_answers"
    __table_args__ = (Index("ix_kept_answers_created_at", "created_at"),)

    id: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    fingerprint: Mapped[bytes]
    status: Mapped[int | None]  # null only inside the transaction that claimed the row
    headers: Mapped[list[list[str]]] = mapped_column(JSONB, server_default=text("'[]'"))
    body: Mapped[bytes] = mapped_column(server_default=text("''"))
    created_at: Mapped[CreatedAt]


class KeyInUse(Conflict):
    """The first request with this key is still at work."""

    code = "idempotency_key_in_use"
    message = "A request with this Idempotency-Key is still at work. Try again in a moment."


def answer_id(secret: SecretStr, *named: str) -> bytes:
    """The id of the answer to who asked what under which key, in this order."""
    return hmac.digest(secret.get_secret_value().encode(), "\n".join(named).encode(), "sha256")


async def claim(session: AsyncSession, answer_id: bytes, person_id: UUID | None) -> bool:
    """Whether this request is the first with its key: it must do the work and fill the row.

    Waits for a parallel one to commit (False then) or to roll back (True). Raises KeyInUse when
    that takes longer than WAIT_MS. A row that is older than KEEP counts as none.
    """
    moment = now()
    values = {"person_id": person_id, "now": moment, "old": moment - KEEP, "answer_id": answer_id}
    connection = await session.connection()
    try:
        claimed = await connection.scalar(CLAIM, values)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise KeyInUse from None
        raise
    return claimed is not None


def _claim() -> Any:
    """One statement that waits for locks for WAIT_MS, and puts the limit back where it inserts:
    where it does not, nothing but the kept answer is still to be read."""
    new = {
        "person_id": bindparam("person_id", type_=Uuid),
        "fingerprint": literal(b""),
        "created_at": bindparam("now", type_=KeptAnswer.created_at.type),
    }
    waiting = _wait_for_locks(WAIT_MS).table_valued("ms")
    row = select(bindparam("answer_id", type_=LargeBinary), *new.values()).select_from(waiting)
    return (
        insert(KeptAnswer)
        .from_select(["id", *new], row)
        .on_conflict_do_update(
            index_elements=[KeptAnswer.id],
            set_=new | {"status": None},
            where=KeptAnswer.created_at <= bindparam("old"),
        )
        .returning(KeptAnswer.id, _wait_for_locks(LOCK_TIMEOUT_MS))
    )


def _wait_for_locks(milliseconds: int) -> Function[str]:
    return func.set_config("lock_timeout", str(milliseconds), True)


CLAIM = _claim()
KEEP_IT = update(KeptAnswer).where(KeptAnswer.id == bindparam("answer_id"))


async def kept(session: AsyncSession, answer_id: bytes, fingerprint: bytes) -> KeptAnswer:
    """The answer to the first request. Raises Invalid when that one sent something else."""
    answer = await session.get_one(KeptAnswer, answer_id)
    if answer.fingerprint != fingerprint:
        raise Invalid(
            "This Idempotency-Key was sent before with another body or query. "
            "Send a new key for a new request.",
            code="idempotency_key_reused",
        )
    return answer


async def keep(
    session: AsyncSession,
    answer_id: bytes,
    fingerprint: bytes,
    *,
    status: int,
    headers: Sequence[tuple[str, str]],
    body: bytes,
) -> None:
    """Fill the claimed row, in the transaction that did the work."""
    filled = {"fingerprint": fingerprint, "status": status, "body": body}
    filled["headers"] = [list(header) for header in headers]
    connection = await session.connection()
    await connection.execute(KEEP_IT, {"answer_id": answer_id, **filled})


async def forget_old(session: AsyncSession) -> int:
    """Delete a batch of answers that are older than KEEP; how many."""
    old = (
        select(KeptAnswer.id)
        .where(KeptAnswer.created_at <= now() - KEEP)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .cte("old")  # a subquery might be run again and again, and find others each time
    )
    gone = await session.scalars(
        delete(KeptAnswer).where(KeptAnswer.id == old.c.id).returning(KeptAnswer.id)
    )
    return len(gone.all())
