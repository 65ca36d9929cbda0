"""The audit log's table, and the words for what is told in it. Knows people only by id."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id

MAX_DETAILS = 2_000  # bytes, as PostgreSQL writes them


class Action(StrEnum):
    """What happened: codes promised to scripts. `web/admin_audit.py` has a sentence for each."""

    LOGIN_OPENED = "login.opened"
    LOGIN_FAILED = "login.failed"
    LOGIN_ENDED = "login.ended"
    LOGIN_TOKEN_REUSED = "login.token_reused"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET = "password.reset"
    EMAIL_VERIFIED = "email.verified"
    EMAIL_CHANGED = "email.changed"
    EMAIL_CHANGE_UNDONE = "email.change_undone"
    SECOND_FACTOR_ON = "second_factor.on"
    SECOND_FACTOR_OFF = "second_factor.off"
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed"
    RECOVERY_CODE_USED = "recovery_codes.used"
    ADMIN_CREATED = "admin.created"
    PERSON_SUSPENDED = "person.suspended"
    PERSON_RESTORED = "person.restored"
    PERSON_EXPORTED = "person.exported"
    PERSON_ERASED = "person.erased"
    JOB_APPROVED = "job.approved"
    JOB_REJECTED = "job.rejected"
    JOB_REMOVED = "job.removed"
    JOB_RESTORED = "job.restored"
    JOB_REPORTS_DISMISSED = "job.reports_dismissed"
    COMPANY_INVITED = "company.invited"
    COMPANY_INVITATION_WITHDRAWN = "company.invitation_withdrawn"
    COMPANY_JOINED = "company.joined"
    COMPANY_MEMBER_SET = "company.member_set"
    COMPANY_MEMBER_REMOVED = "company.member_removed"
    COMPANY_RENAMED = "company.renamed"
    COMPANY_NAME_SEEN = "company.name_seen"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    WEBHOOK_MADE = "webhook.made"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_DELETED = "webhook.deleted"
    DATA_EDITED = "data.edited"
    CREDITS_GRANTED = "credits.granted"
    TRANSFER_REVERSED = "transfer.reversed"
    WALLET_FROZEN = "wallet.frozen"
    WALLET_UNFROZEN = "wallet.unfrozen"
    SYNONYM_ADDED = "synonym.added"
    SYNONYM_REMOVED = "synonym.removed"
    RATES_LOADED = "rates.loaded"
    MESSAGES_RETRIED = "messages.retried"
    MESSAGES_DROPPED = "messages.dropped"
    MAIL_BLOCKED = "mail.blocked"
    MAIL_ALLOWED = "mail.allowed"


class Subject(StrEnum):
    """What kind of thing an entry is about."""

    PERSON = "person"
    COMPANY = "company"
    JOB = "job"


class AuditEntry(Base):
    """One event. A trigger refuses UPDATE, DELETE and TRUNCATE.

    No foreign keys and no names: people stand here as ids only, so that erasing one leaves an id
    of nobody and no row to change. Neither a person nor a key means that the board itself acted.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint(f"octet_length(details::text) <= {MAX_DETAILS}", name="details_size"),
        Index("ix_audit_log_at_id", "at", "id"),
        Index("ix_audit_log_action_at_id", "action", "at", "id"),
        Index("ix_audit_log_person_id_at_id", "person_id", "at", "id"),
        Index("ix_audit_log_subject_id_at_id", "subject_id", "at", "id"),
    )

    id: Mapped[Id]
    at: Mapped[CreatedAt]
    person_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]  # the API key that they acted with
    action: Mapped[str]  # an Action; no CHECK, so that a new one needs no migration
    subject_kind: Mapped[str | None]  # a Subject
    subject_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    address: Mapped[str] = mapped_column(server_default="")  # the /24 or /48 network
    request_id: Mapped[str] = mapped_column(server_default="")
