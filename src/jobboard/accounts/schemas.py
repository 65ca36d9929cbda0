"""Shapes of people and tokens, shared by all doors."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)

from jobboard.accounts.models import LoginKind, Role
from jobboard.accounts.scopes import ALL, Scope
from jobboard.schema import Input


def _email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"This is not an e-mail address: {error}") from None


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
FullName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Password = Annotated[SecretStr, Field(max_length=1024)]


@cache
def time_zones() -> frozenset[str]:
    """The names of places in the IANA database, and UTC."""
    return frozenset(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


def _time_zone(value: str) -> str:
    if value not in time_zones():
        raise ValueError("This is no time zone. Use a name such as Europe/Berlin.")
    return value


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_time_zone)]


class SignUpRole(StrEnum):
    """The roles that a person can choose. Admins are made on the command line."""

    CANDIDATE = "candidate"
    EMPLOYER = "employer"


class Registration(Input):
    """What someone who signs up tells us."""

    email: Email = Field(examples=["ada@example.com"])
    password: Password = Field(examples=["a long and quiet sentence"])
    full_name: FullName = Field(examples=["Ada Lovelace"])
    role: SignUpRole = SignUpRole.CANDIDATE


class PersonUpdate(Input):
    """What a person may change about themselves. Absent keeps."""

    full_name: FullName | None = None
    time_zone: TimeZone | None = Field(
        None,
        description="Where you live, as the IANA database calls it: a mail that comes daily comes "
        "in your morning.",
        examples=["Europe/Berlin"],
    )
    current_password: Password | None = Field(None, description="Needed for a new password.")
    new_password: Password | None = None


class PersonRead(BaseModel):
    """A person as they see themselves, and as an admin sees them."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    email_verified: bool
    full_name: str
    role: Role
    suspended: bool
    time_zone: str | None = Field(description="Null: not known, which counts as UTC.")
    created_at: datetime


class EmailAsked(Input):
    """Whose password was forgotten."""

    email: Email = Field(examples=["ada@example.com"])


class EmailChange(Input):
    """The new address of an account."""

    email: Email = Field(examples=["ada@example.com"])
    current_password: Password


LinkToken = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class TokenOfLink(Input):
    """The `token` of a link that we mailed."""

    token: LinkToken


class PasswordReset(Input):
    """A new password, by a link that we mailed."""

    token: LinkToken
    password: Password = Field(examples=["a long and quiet sentence"])


class Accepted(BaseModel):
    """What happens next, in words for a person."""

    detail: str


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


class CodeInput(Input):
    """A code of the authenticator app, or a recovery code where one is taken."""

    code: Code = Field(examples=["123456"])


class PasswordInput(Input):
    """The current password, typed again."""

    current_password: Password


class PasswordAndCode(PasswordInput, CodeInput):
    """Both, for what weakens an account."""


class SecondFactorRead(BaseModel):
    """The second step of one's log-in."""

    enabled: bool
    enabled_at: datetime | None
    recovery_codes_left: int


class Enrolment(BaseModel):
    """For an authenticator app: the secret in base32, and as an `otpauth://` address for a QR."""

    secret: str
    uri: str


class RecoveryCodes(BaseModel):
    """Each stands in for a code once. They are shown this one time."""

    recovery_codes: list[str]


class LoginRead(BaseModel):
    """One log-in session. `device` is read from what the browser or script says it is."""

    id: UUID
    kind: LoginKind
    device: str
    current: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class TokenPair(BaseModel):
    """OAuth2 token response (RFC 6749, section 5.1). `expires_in` is in seconds."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int
    refresh_token: str
    scope: str = Field(description="What the access token can be used for.")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: the one thing about a person that services need to decide.

    `scopes` is what their token carries; a log-in on the pages carries all. An API key asks for its
    company: it has a `company_id`, and its own id stands for both ids, so that nothing of any
    person's is found by them.
    """

    id: UUID
    email: str
    full_name: str
    role: Role
    login_session_id: UUID
    scopes: frozenset[Scope] = ALL
    company_id: UUID | None = None
    must_verify_email: bool = False  # this board wants it, and they have not
    must_enrol: bool = False  # the same for two-step log-in

    @property
    def is_key(self) -> bool:
        """Whether this is a company's API key and no person."""
        return self.company_id is not None

    @property
    def person_id(self) -> UUID | None:
        """Who is to be written down as having done something; None for a key."""
        return None if self.is_key else self.id

    @property
    def is_admin(self) -> bool:
        """Whether they moderate."""
        return self.role is Role.ADMIN
