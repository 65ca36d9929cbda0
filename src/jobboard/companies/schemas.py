"""Shapes of companies and their members, shared by all doors."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    computed_field,
    model_validator,
)

from jobboard.accounts.schemas import Email
from jobboard.accounts.scopes import KeyScope
from jobboard.companies.models import MemberRole
from jobboard.infra.weblink import web_link
from jobboard.schema import WHOLE, Input, NotNull, WholeNumber, absent

CompanyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
WebLink = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000),
    AfterValidator(web_link),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": 2000}),
]


class CompanyCreate(Input):
    """A new company; whoever makes it owns it."""

    name: CompanyName = Field(examples=["Harbour Bakery"])
    website: WebLink | None = Field(None, examples=["https://bakery.example.com"])
    description: str = Field("", max_length=20_000, description="Markdown.")


class CompanyUpdate(Input):
    """What changes. Absent keeps, null clears."""

    name: Annotated[CompanyName, NotNull] = Field(default_factory=absent)
    website: WebLink | None = None
    description: str | None = Field(None, max_length=20_000, description="Markdown.")
    version: WholeNumber | None = Field(
        None, description="The `version` that you read; a change by someone else since is a 409."
    )


class CompanyBrief(BaseModel):
    """A company as other things show it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    logo_key: str | None = Field(exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_written(cls, data: Any) -> Any:
        """Its own JSON, as kept answers hold it, names the logo by its address."""
        if isinstance(data, dict) and "logo_key" not in data and "logo_url" in data:
            return {**data, "logo_key": data["logo_url"] and data["logo_url"].removeprefix("/")}
        return data

    @computed_field
    @property
    def logo_url(self) -> str | None:
        """Where the logo is served, or null."""
        return f"/{self.logo_key}" if self.logo_key else None

    @property
    def logo_avif_url(self) -> str | None:
        """The same in fewer bytes, for browsers that read AVIF. Logos of old have none."""
        stem, dot, _ = (self.logo_url or "").rpartition(".webp")
        return f"{stem}.avif" if dot else None


class AnswerFigures(BaseModel):
    """How a company answers those who applied to it in the last six months at most.

    An answer is an invitation, an offer, or a no; to have looked is none. Counted are applications
    that were sent more than two weeks ago; one that is younger, or was withdrawn unanswered before
    two weeks were over, counts neither way. From five of them on.
    """

    applications: int = Field(description="How many are counted.")
    answered_share: float = Field(description="Of them answered, from 0 to 1.", examples=[0.92])
    median_hours: float | None = Field(
        description="Half of the answers came within so many hours. Null below five answers."
    )


class CompanyFacts(CompanyBrief):
    """A company as its own page and those of its jobs show it."""

    answers: AnswerFigures | None = Field(
        description="How it answers; null while too few applied to say so fairly."
    )


class CompanyRead(CompanyFacts):
    """A company's own page."""

    website: str | None
    description: str
    description_html: str
    version: int
    created_at: datetime


MAX_LIMIT = 10**13  # minor units, as the largest transfer


class MemberStatus(StrEnum):
    """Whether someone acts for the company, or was asked to and has not answered."""

    MEMBER = "member"
    INVITED = "invited"


class MemberAdd(Input):
    """Someone who shall act for the company: invited by mail, unless they act for it already."""

    email: Email
    role: MemberRole = MemberRole.RECRUITER
    spending_limit: Annotated[int, Field(strict=True, ge=0, le=MAX_LIMIT), WHOLE] | None = Field(
        None,
        description="What a recruiter may spend of the company's credits in a calendar month "
        "(UTC), in minor units: 0 at first, and absent keeps it. Owners have no limit.",
        examples=[5000],
    )


class MemberRead(BaseModel):
    """A person who acts for a company, or an address that was asked to.

    Of who is invited nothing is told but what the invitation says, whoever has the address.
    """

    status: MemberStatus
    person_id: UUID | None = Field(description="Null until they accept.")
    full_name: str | None = Field(description="Null until they accept.")
    email: str
    role: MemberRole
    spending_limit: int | None = Field(description="A month, in minor units. Null: no limit.")
    created_at: datetime
    invitation_id: UUID | None = Field(description="Of who is invited, to withdraw it.")
    expires_at: datetime | None = Field(description="Until when an invitation is open.")

    @classmethod
    def of_member(cls, **known: Any) -> "MemberRead":
        """Of who acts for it."""
        return cls(status=MemberStatus.MEMBER, invitation_id=None, expires_at=None, **known)


KeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class ApiKeyCreate(Input):
    """A new key for a company's programs."""

    company_id: UUID
    name: KeyName = Field(examples=["Our careers page"], description="What will use it.")
    scopes: list[KeyScope] = Field(min_length=1, max_length=10, examples=[["jobs:read"]])
    expires_in_days: Annotated[int, Field(strict=True, ge=1, le=3650), WHOLE] | None = Field(
        365, description="Null: never."
    )


class ApiKeyRead(BaseModel):
    """A key as its company's owners see it: `hint` is how it begins."""

    id: UUID
    company_id: UUID
    company_name: str
    name: str
    scopes: list[str]
    hint: str
    created_by: str | None = Field(description="Who made it, while they have an account.")
    created_at: datetime
    expires_at: datetime | None
    expired: bool
    last_used_at: datetime | None = Field(description="To the minute.")


class ApiKeyMade(ApiKeyRead):
    """A key in the answer that makes it, the only one that holds its secret."""

    key: str | None = Field(
        examples=["jb_7hTq0ZkE4uQm2sXv9RbNc1LwYdGf8JaP3kU5Wz"],
        description="Null where the answer is given again for an Idempotency-Key: it is not kept.",
    )
