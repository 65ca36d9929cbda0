"""News, what people do not want to be mailed, and mailboxes that take no mail."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class Topic(StrEnum):
    """What a person may choose not to be mailed. All else is about their account, and is mailed."""

    APPLICATIONS = "applications"
    DIGEST = "digest"
    ALERTS = "alerts"


class Notification(Base):
    """A piece of news, as it stands in its reader's list. It names no person."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_person_id_id", "person_id", "id"),
        Index("ix_notifications_unread", "person_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_notifications_created_at", "created_at"),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str]
    text: Mapped[str]
    path: Mapped[str]
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]


class MailOptOut(Base):
    """A topic that a person does not want mail about."""

    __tablename__ = "mail_opt_outs"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    topic: Mapped[Topic] = mapped_column(words(Topic), primary_key=True)
    created_at: Mapped[CreatedAt]


class BlockReason(StrEnum):
    """How we know that no mail arrives."""

    REFUSED = "refused"  # the mail server said so when we handed it over
    BOUNCED = "bounced"  # a bounce came back later
    REPORTED = "reported"  # a moderator, or a program of theirs, said so


class MailBlock(Base):
    """An address that gets no more mail until someone opens a link that was mailed to it."""

    __tablename__ = "mail_blocks"
    __table_args__ = (
        Index("uq_mail_blocks_email", text("lower(email)"), unique=True),
        Index("ix_mail_blocks_created_at_id", "created_at", "id"),
    )

    id: Mapped[Id]
    email: Mapped[str]
    reason: Mapped[BlockReason] = mapped_column(words(BlockReason))
    detail: Mapped[str] = mapped_column(server_default="")  # what the server said
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
