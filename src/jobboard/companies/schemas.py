"""Shapes of companies and their members, shared by all doors."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, computed_field

from jobboard.accounts.schemas import Email
from jobboard.companies.models import MemberRole
from jobboard.infra.weblink import web_link
from jobboard.schema import Input

CompanyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
WebLink = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(web_link)
]


class CompanyCreate(Input):
    """A new company; whoever makes it owns it."""

    name: CompanyName = Field(examples=["Harbour Bakery"])
    website: WebLink | None = Field(None, examples=["https://bakery.example.com"])
    description: str = Field("", max_length=20_000, description="Markdown.")


class CompanyUpdate(Input):
    """What changes. Absent keeps, null clears."""

    name: CompanyName | None = None
    website: WebLink | None = None
    description: str | None = Field(None, max_length=20_000, description="Markdown.")


class CompanyBrief(BaseModel):
    """A company as other things show it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    logo_key: str | None = Field(exclude=True)

    @computed_field
    @property
    def logo_url(self) -> str | None:
        """Where the logo is served, or null."""
        return f"/{self.logo_key}" if self.logo_key else None


class CompanyRead(CompanyBrief):
    """A company's own page."""

    website: str | None
    description: str
    description_html: str
    created_at: datetime


class MemberAdd(Input):
    """Someone who shall act for the company. They need an account first."""

    email: Email
    role: MemberRole = MemberRole.RECRUITER


class MemberRead(BaseModel):
    """A person who acts for a company."""

    person_id: UUID
    full_name: str
    email: str
    role: MemberRole
    created_at: datetime
