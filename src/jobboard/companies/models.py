"""Companies and their members."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra import freshness
from jobboard.infra.postgres import Base, CreatedAt, Id, words

HOUR = 3600  # seconds
ON_CARDS = {"name", "slug", "logo_key"}
ON_PAGES = {*ON_CARDS, "website"}


class MemberRole(StrEnum):
    """Owners manage the company and its members; recruiters its jobs and applications."""

    OWNER = "owner"
    RECRUITER = "recruiter"


class Company(Base):
    """Someone who offers work. `imported_name` marks one that came with imported ads."""

    __tablename__ = "companies"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name_length"),
        UniqueConstraint("id", "name"),  # jobs copy the name; their foreign key follows it
        Index(
            "uq_companies_imported_name",
            "imported_name",
            unique=True,
            postgresql_where=text("imported_name IS NOT NULL"),
        ),
        Index(
            "ix_companies_renamed", "renamed_at", postgresql_where=text("renamed_at IS NOT NULL")
        ),
    )

    id: Mapped[Id]
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    imported_name: Mapped[str | None]
    website: Mapped[str | None]
    description: Mapped[str] = mapped_column(server_default="")
    description_html: Mapped[str] = mapped_column(server_default="")
    logo_key: Mapped[str | None]
    former_name: Mapped[str | None]  # what moderators knew it by, until one has seen the new name
    renamed_at: Mapped[datetime | None]
    # How it answers those who apply, kept by applications/figures.py; NULL: too few to be fair.
    applications_counted: Mapped[int | None]
    applications_answered: Mapped[int | None]
    answer_seconds: Mapped[int | None]  # the median
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]

    __mapper_args__ = {"version_id_col": version}

    @property
    def answers(self) -> dict[str, float | None] | None:
        """How it answers, as `schemas.AnswerFigures`; None: not known."""
        if not self.applications_counted:
            return None
        share = (self.applications_answered or 0) / self.applications_counted
        seconds = self.answer_seconds
        return {
            "applications": self.applications_counted,
            "answered_share": round(share, 2),
            "median_hours": None if seconds is None else round(seconds / HOUR, 1),
        }


def _outdated(company: Company) -> Iterator[str]:
    """Only what cards and pages of jobs show. How it answers is written past the mapper."""
    row = inspect(company)
    if row.pending:  # it has no jobs yet
        return
    changed = {name for name in ON_PAGES if row.attrs[name].history.has_changes()}
    if changed & ON_CARDS:
        yield freshness.JOBS
    if changed:
        yield freshness.PAGES


freshness.follow(Company, _outdated)


class CompanyMember(Base):
    """A person who acts for a company. `spending_limit` is what a recruiter may spend of its
    credits in a calendar month (UTC), in minor units; owners have no limit."""

    __tablename__ = "company_members"
    __table_args__ = (CheckConstraint("spending_limit >= 0", name="spending_limit_sign"),)

    company_id: Mapped[UUID] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[MemberRole] = mapped_column(words(MemberRole))
    spending_limit: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[CreatedAt]


class CompanyInvitation(Base):
    """Someone who was asked, by mail, to act for a company, and has not answered; answered ones
    are deleted. It holds no token: the link's is derived from the board's secret key."""

    __tablename__ = "company_invitations"
    __table_args__ = (
        Index("uq_company_invitations_email", text("lower(email)"), "company_id", unique=True),
        CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
        CheckConstraint("spending_limit >= 0", name="spending_limit_sign"),
    )

    id: Mapped[Id]
    company_id: Mapped[UUID] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str]
    role: Mapped[MemberRole] = mapped_column(words(MemberRole))
    spending_limit: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    invited_by: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiKey(Base):
    """A company's key for its programs; `token_hash` is the SHA-256 of what was shown once."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),)

    id: Mapped[Id]
    company_id: Mapped[UUID] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    scopes: Mapped[str]  # as OAuth2 writes them
    hint: Mapped[str]  # its first characters, to tell keys apart
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # noted once a minute at most
    revoked_at: Mapped[datetime | None]
