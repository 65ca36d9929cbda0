"""People, their log-in sessions and refresh tokens, links by mail, and the second step."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class Role(StrEnum):
    """What a person came for. An admin is made on the command line only."""

    CANDIDATE = "candidate"
    EMPLOYER = "employer"
    ADMIN = "admin"


class LoginKind(StrEnum):
    """The door that a log-in session came through."""

    WEB = "web"
    API = "api"


class LinkPurpose(StrEnum):
    """What a link that we mailed is good for."""

    VERIFY = "verify"
    RESET = "reset"
    CHANGE = "change"
    UNDO = "undo"


class Person(Base):
    """An account. `email` is kept as typed; two that differ only in case are one."""

    __tablename__ = "people"
    __table_args__ = (
        Index("uq_people_email", text("lower(email)"), unique=True),
        CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
        CheckConstraint("char_length(full_name) BETWEEN 1 AND 200", name="full_name_length"),
    )

    id: Mapped[Id]
    email: Mapped[str]
    full_name: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(words(Role))
    suspended_at: Mapped[datetime | None]
    suspension_reason: Mapped[str | None]  # for moderators only
    erased_at: Mapped[datetime | None]  # since then a line without a name
    time_zone: Mapped[str | None]  # an IANA name; NULL: not known, which counts as UTC
    created_at: Mapped[CreatedAt]


class LoginSession(Base):
    """One log-in. For pages `token_hash` is the cookie's; for the API refresh tokens hang on it."""

    __tablename__ = "login_sessions"
    __table_args__ = (  # for the clean-up
        Index("ix_login_sessions_ended_at", "ended_at"),
        Index("ix_login_sessions_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    kind: Mapped[LoginKind] = mapped_column(words(LoginKind))
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    user_agent: Mapped[str] = mapped_column(server_default="")
    scopes: Mapped[str | None]  # asked for at the log-in, as OAuth2 writes them; NULL: all
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefreshToken(Base):
    """A single-use token of an API log-in, kept as its SHA-256. Used ones stay to notice reuse."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    login_session_id: Mapped[UUID] = mapped_column(
        ForeignKey("login_sessions.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[CreatedAt]
    used_at: Mapped[datetime | None]


class EmailLink(Base):
    """A single-use link that was mailed, kept as its token's SHA-256; used ones are deleted.

    `email` is the address that it was sent to, and, for UNDO, the one to go back to; its
    `created_at` is then when the address was changed.
    """

    __tablename__ = "email_links"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(words(LinkPurpose))
    email: Mapped[str]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LeftAddress(Base):
    """An address that an account was moved away from, kept for it in case a thief did that."""

    __tablename__ = "left_addresses"
    __table_args__ = (Index("ix_left_addresses_email", text("lower(email)")),)

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    email: Mapped[str]
    left_at: Mapped[datetime]
    kept_until: Mapped[datetime] = mapped_column(index=True)


class SecondFactor(Base):
    """Time-based codes (TOTP) of one person; without `confirmed_at` they only began to enrol.

    The secret is not here: it is derived from the secret key of the board and `salt`.
    `last_step` is the time step of the last code that was taken, so that none works twice.
    """

    __tablename__ = "second_factors"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    salt: Mapped[bytes]
    created_at: Mapped[CreatedAt]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class RecoveryCode(Base):
    """Stands in for a code once, when the device is lost. Kept as a keyed hash; used ones go."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
