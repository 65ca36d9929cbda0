"""Saved searches, and the new jobs that each has found."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class Frequency(StrEnum):
    """How often new jobs are mailed: as soon as there are some, mornings, or on Mondays."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


class SavedSearch(Base):
    """A search that a person wants to hear of.

    `criteria` is a JobCriteria without its defaults, `fingerprint` stands for it. Jobs that came to
    the board after `since` are new to it. `waiting_since` is when the oldest job was found that
    nobody was told of yet. `keys` and `required` are what `alerts/index.py` finds it by, `words`
    what its `q` was understood to mean; while these are `stale`, it is looked at for every job.
    """

    __tablename__ = "saved_searches"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name_length"),
        UniqueConstraint("person_id", "fingerprint"),
        Index(
            "ix_saved_searches_keys",
            "keys",
            postgresql_using="gin",
            # A list of what is not filed yet would be read through for every new job.
            postgresql_with={"fastupdate": "off"},
            postgresql_where=text("paused_at IS NULL"),
        ),
        Index("ix_saved_searches_stale", "id", postgresql_where=text("stale")),
        Index(
            "ix_saved_searches_waiting_since",
            "waiting_since",
            postgresql_where=text("waiting_since IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    name: Mapped[str]
    criteria: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fingerprint: Mapped[str]
    keys: Mapped[list[str]] = mapped_column(ARRAY(Text))
    required: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    words: Mapped[str | None]
    frequency: Mapped[Frequency] = mapped_column(words(Frequency))
    since: Mapped[CreatedAt]
    seen_at: Mapped[CreatedAt]  # when the person last looked at what it found
    waiting_since: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    stale: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]

    __mapper_args__ = {"version_id_col": version}


class FoundJob(Base):
    """A new job that a saved search found: the key sees that nobody hears of it twice.

    The indexes serve what is still to be told, what is forgotten, and the number of new ones.
    """

    __tablename__ = "saved_search_jobs"
    __table_args__ = (
        Index(
            "ix_saved_search_jobs_untold",
            "saved_search_id",
            "found_at",
            postgresql_where=text("told_at IS NULL"),
        ),
        Index(
            "ix_saved_search_jobs_told_at",
            "told_at",
            postgresql_where=text("told_at IS NOT NULL"),
        ),
        Index("ix_saved_search_jobs_found_at", "saved_search_id", "found_at"),
    )

    saved_search_id: Mapped[UUID] = mapped_column(
        ForeignKey("saved_searches.id", ondelete="CASCADE"), primary_key=True
    )
    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    found_at: Mapped[CreatedAt]
    told_at: Mapped[datetime | None]
