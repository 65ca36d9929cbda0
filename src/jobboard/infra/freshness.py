"""Which kept answers a transaction makes wrong: it collects tags, and its commit outdates them.

Answers that are kept (`cache.py`) stand under tags. Who changes what they tell says so here, in the
transaction of the change; rows that are changed one by one say so themselves (`follow`). What is
written in bulk, past the mapper, calls `outdate`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, object_session

from jobboard.infra.postgres import OUTDATED

JOBS = "jobs"  # every search
PAGES = "pages"  # every job's page
EVENTS = ("after_insert", "after_update", "after_delete")


def outdate(session: AsyncSession | Session, *tags: str) -> None:
    """When this transaction has committed, no answer that is kept under one of `tags` is given."""
    session.info.setdefault(OUTDATED, set()).update(tags)


def follow(model: type[Any], tags: Callable[[Any], Iterable[str]]) -> None:
    """Let each row of `model` that is made, changed or deleted outdate `tags(row)`."""

    def note(_mapper: Any, _connection: Any, row: Any) -> None:
        session = object_session(row)
        assert session is not None  # who else writes a row
        outdate(session, *tags(row))

    for name in EVENTS:
        event.listen(model, name, note)
