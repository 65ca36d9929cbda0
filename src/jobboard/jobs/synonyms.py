"""Words that mean the same: a table that admins edit, asked by each search (`words.py`).

A trigger of the table marks the saved searches that a change concerns (`alerts/refiling.py`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints
from sqlalchemy import CheckConstraint, Computed, Index, UniqueConstraint, any_, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from jobboard.errors import Conflict, Invalid, NotFound
from jobboard.infra import freshness
from jobboard.infra.postgres import Base, CreatedAt, Id
from jobboard.schema import Input


class Synonym(Base):
    """Terms that find each other; unless `both_ways`, the first finds the others alone. `keys` are
    the terms as English searches have them."""

    __tablename__ = "synonyms"
    __table_args__ = (
        CheckConstraint("cardinality(terms) BETWEEN 2 AND 20", name="several"),
        UniqueConstraint("terms"),
        Index("ix_synonyms_keys", "keys", postgresql_using="gin"),
    )

    id: Mapped[Id]
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    both_ways: Mapped[bool] = mapped_column(server_default=text("true"))
    keys: Mapped[list[str] | None] = mapped_column(
        ARRAY(Text), Computed("jobboard_keys(terms)", persisted=True)
    )
    created_at: Mapped[CreatedAt]


def _outdated(_synonym: Synonym) -> Iterator[str]:
    yield freshness.JOBS


freshness.follow(Synonym, _outdated)
Term = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=60)
]


def _different(terms: list[str]) -> list[str]:
    if len({*terms}) < len(terms):
        raise ValueError("The same term stands there twice.")
    return terms


class SynonymCreate(Input):
    """Terms that mean the same."""

    terms: Annotated[list[Term], AfterValidator(_different)] = Field(
        min_length=2,
        max_length=20,
        examples=[["nurse", "rn", "registered nurse"]],
        description="Words, or words side by side.",
    )
    both_ways: StrictBool = Field(
        True, description="Whether each finds all others, or only the first finds the others."
    )


class SynonymRead(BaseModel):
    """Terms that mean the same."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    terms: list[str]
    both_ways: bool
    created_at: datetime


class SynonymsRead(BaseModel):
    """All of them."""

    items: list[SynonymRead]


async def every(session: AsyncSession, part: str = "") -> Sequence[Synonym]:
    """All of them, by their first term; or those with a term that `part` is a part of."""
    together = func.array_to_string(Synonym.terms, "\n")
    found = select(Synonym).where(together.contains(part.lower(), autoescape=True))
    return (await session.scalars(found.order_by(Synonym.terms))).all()


async def add(session: AsyncSession, data: SynonymCreate) -> Synonym:
    """Let terms mean the same. Raises Conflict, Invalid for one that no search can hold."""
    made = insert(Synonym).values(terms=data.terms, both_ways=data.both_ways)
    row = await session.scalar(made.on_conflict_do_nothing().returning(Synonym))
    if row is None:
        raise Conflict("These terms mean the same already.", code="synonym_known_already")
    if not all(row.keys or ()):
        raise Invalid.field("terms", "One of them is too common a word to be searched by.")
    freshness.outdate(session, freshness.JOBS)
    return row


async def remove(session: AsyncSession, synonym_id: UUID) -> Synonym:
    """Let terms be what they are again; which they were. Raises NotFound."""
    found = await session.get(Synonym, synonym_id)
    if found is None:
        raise NotFound("There are no such synonyms.", code="synonym_not_found")
    await session.delete(found)
    await session.flush()
    return found


async def named(session: AsyncSession, term: str) -> Sequence[Synonym]:
    """Those that have this term."""
    return (
        await session.scalars(
            select(Synonym).where(func.lower(term) == any_(Synonym.terms)).order_by(Synonym.terms)
        )
    ).all()
