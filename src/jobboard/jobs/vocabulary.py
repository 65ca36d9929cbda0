"""The terms of live jobs: words, titles, skills, companies, places, and how many jobs have each.

Corrections (`corrections.py`) and suggestions (`suggestions.py`) read them. A trigger of `jobs`
(`jobboard_note_terms`, a migration) notes in `term_changes` what each statement adds and takes
away, in its transaction: a row of its own, so that nobody who publishes waits for another. The
worker works through that list (`count`), so that terms follow within half a minute, and are exact
whenever the list is empty. A term that no job has is deleted.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Identity,
    Index,
    Integer,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from jobboard.infra.locks import COUNTING
from jobboard.infra.postgres import Base

PIECE = 500  # rows of the list in one transaction


class Term(Base):
    """A term as it is shown, and in small letters without accents, its `key`. A place is written
    `Berlin|DE`. `level` is how often the number of its jobs can be halved; `slips` is what is left
    of a word that is typed wrong."""

    __tablename__ = "terms"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('word', 'title', 'skill', 'company', 'place', 'country')", name="kind"
        ),
        CheckConstraint("jobs > 0", name="used"),
        Index("ix_terms_begin", "kind", "level", "key"),
        Index(
            "ix_terms_slips",
            "slips",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},  # look-ups would read through what waits
            postgresql_where=text("slips IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},  # a count changes within its page
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    shown: Mapped[str]
    jobs: Mapped[int] = mapped_column(Integer)
    level: Mapped[int] = mapped_column(
        SmallInteger, Computed("CAST(floor(log(2, jobs)) AS smallint)", persisted=True)
    )
    slips: Mapped[list[str] | None] = mapped_column(
        ARRAY(Text),
        Computed(
            "CASE WHEN kind = 'word' THEN"
            " jobboard_slips(key, CASE WHEN length(key) < 6 THEN 1 ELSE 2 END) END",
            persisted=True,
        ),
    )


class TermChange(Base):
    """What a statement did to the terms: {"skill:baking": 1}."""

    __tablename__ = "term_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)


ALONE = text("SELECT pg_try_advisory_xact_lock(:lock)").bindparams(lock=COUNTING)
# In the order in which it was written: a job came before it went, so no count falls below zero.
COUNT = text(
    """
WITH taken AS (
    DELETE FROM term_changes WHERE id IN (SELECT id FROM term_changes ORDER BY id LIMIT :piece)
    RETURNING changes),
each AS (
    SELECT split_part(term, ':', 1) AS kind, substr(term, strpos(term, ':') + 1) AS shown, jobs
      FROM taken, jsonb_each_text(changes) AS change (term, jobs)),
counted AS (
    SELECT kind, jobboard_folded(shown) AS key, min(shown) AS shown, sum(jobs::integer) AS jobs
      FROM each GROUP BY 1, 2 HAVING sum(jobs::integer) <> 0),
merged AS (
    MERGE INTO terms USING counted ON terms.kind = counted.kind AND terms.key = counted.key
    WHEN MATCHED AND terms.jobs + counted.jobs <= 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET jobs = terms.jobs + counted.jobs
    WHEN NOT MATCHED AND counted.jobs > 0 THEN
        INSERT (kind, key, shown, jobs)
        VALUES (counted.kind, counted.key, counted.shown, counted.jobs)
    RETURNING 1)
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM merged)
"""
)


async def count(session: AsyncSession) -> bool:
    """Work through a piece of the list of changes; whether there may be more of it.

    One at a time: who comes second leaves it to the first.
    """
    if not await session.scalar(ALONE):
        return False
    return await session.scalar(COUNT, {"piece": PIECE}) == PIECE
