"""The list of jobs as one would write it first: ORM rows through a `response_model`, ranked by
ts_rank, counted whole. It answers what our page of a search answers, without facets."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from sqlalchemy.types import Text

LIMIT = 20


class _Base(DeclarativeBase):
    """Of its own: the product's classes are not what one would write first."""


class Company(_Base):
    """Whose job it is."""

    __tablename__ = "companies"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str]
    logo_key: Mapped[str | None]


class Words(_Base):
    """What a live job is found by."""

    __tablename__ = "live_jobs"
    id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    search: Mapped[Any] = mapped_column(TSVECTOR)


class Job(_Base):
    """A job with its company."""

    __tablename__ = "jobs"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    company_id: Mapped[UUID] = mapped_column(ForeignKey("companies.id"))
    company: Mapped[Company] = relationship()
    slug: Mapped[str]
    title: Mapped[str]
    location: Mapped[str | None]
    city: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None]
    remote: Mapped[str | None]
    employment_type: Mapped[str | None]
    experience: Mapped[str | None]
    salary_text: Mapped[str | None]
    salary_min: Mapped[int | None]
    salary_max: Mapped[int | None]
    currency: Mapped[str | None]
    salary_period: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str]
    description_text: Mapped[str]
    published_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    apply_url: Mapped[str | None]

    @property
    def excerpt(self) -> str:
        """The beginning of the text."""
        return self.description_text[:200]


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CompanyRead(_Read):
    """As it is answered."""

    id: UUID
    name: str
    slug: str
    logo_key: str | None


class JobRead(_Read):
    """As it is answered."""

    id: UUID
    company: CompanyRead
    slug: str
    title: str
    location: str | None
    city: str | None
    region: str | None
    country: str | None
    remote: str | None
    employment_type: str | None
    experience: str | None
    salary_text: str | None
    salary_min: int | None
    salary_max: int | None
    currency: str | None
    salary_period: str | None
    tags: list[str]
    status: str
    excerpt: str
    published_at: datetime
    expires_at: datetime
    apply_url: str | None


class Page(BaseModel):
    """As it is answered."""

    items: list[JobRead]
    total: int


def make_app(url: str) -> FastAPI:
    """GET /jobs?q= and GET /hello, without any middleware."""
    app = FastAPI()
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    @app.get("/jobs", response_model=Page)
    async def jobs(q: str, session: Annotated[AsyncSession, Depends(session)]) -> dict[str, Any]:
        asked = func.websearch_to_tsquery("english", q)
        found = (
            select(Job)
            .join(Words, Words.id == Job.id)
            .where(Words.search.bool_op("@@")(asked), Job.expires_at > func.now())
        )
        order = func.ts_rank(Words.search, asked).desc()
        rows = await session.scalars(
            found.options(selectinload(Job.company)).order_by(order).limit(LIMIT)
        )
        total = await session.scalar(select(func.count()).select_from(found.subquery()))
        return {"items": list(rows), "total": total}

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app
