"""The table that searches read: a row for each published job, with what filters ask and no more.

A trigger of `jobs` (`jobboard_keep_live`, a migration) keeps it in step, in the transaction of
whatever changes a job: nothing else writes it. Two columns are for its index alone. `times` names
the spans of time in which a job was posted, from minutes to years, so that a search reads only the
newest part of the lists of a common word (`walk.py`); `kinds` names what the filters ask for, and
the squares of the map in which a job lies (`near.py`).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Double, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from jobboard.infra.postgres import Base


class LiveJob(Base):
    """What is searched of a published job. `pay` is the best for a year, in minor units, and
    `euros` that in euro cents, as it was fixed when the job was posted; `head`
    is `search` without the description. `countries` are those of all its places; `points` are its
    towns, each by two numbers: degrees north, degrees east."""

    __tablename__ = "live_jobs"
    __table_args__ = (
        Index(
            "ix_live_jobs_words", "times", "kinds", "search", "head", "place_search",
            postgresql_using="gin",
            # A search would have to read through what waits to be sorted in.
            postgresql_with={"fastupdate": "off"},
        ),
        Index("ix_live_jobs_newest", "published_at", "id"),
        Index(
            "ix_live_jobs_euros", "euros", "published_at", "id",
            postgresql_where=text("euros IS NOT NULL"),
        ),
        Index(
            "ix_live_jobs_no_rate", "currency", "pay", "published_at", "id",
            postgresql_where=text("euros IS NULL AND currency IS NOT NULL AND pay IS NOT NULL"),
        ),
        # For the release before; goes with the next.
        Index("ix_live_jobs_pay", "currency", "pay", "published_at", "id"),
        Index(
            "ix_live_jobs_featured",
            "featured_until",
            postgresql_where=text("featured_until IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(
        PG_UUID, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    company_id: Mapped[UUID]
    published_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    featured_until: Mapped[datetime | None]
    country: Mapped[str | None]  # of the first place, for the release before; goes with the next
    remote: Mapped[str | None]
    employment_type: Mapped[str | None]
    experience: Mapped[str | None]
    currency: Mapped[str | None]
    pay: Mapped[int | None] = mapped_column(BigInteger)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    times: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    search: Mapped[str] = mapped_column(TSVECTOR)
    head: Mapped[str] = mapped_column(TSVECTOR)
    place_search: Mapped[str] = mapped_column(TSVECTOR)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    points: Mapped[list[float]] = mapped_column(ARRAY(Double), server_default=text("'{}'"))
    euros: Mapped[int | None] = mapped_column(BigInteger)
