"""Files in storage. Knows people only by id."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class UploadKind(StrEnum):
    """What a file is for; each has its own checks."""

    RESUME = "resume"
    LOGO = "logo"
    IMAGE = "image"


class Upload(Base):
    """One file: `key` is its random name in storage, `filename` what its owner called it.

    A picture is kept in several sizes: `key` is the start of their names, and `image` says what
    came and what is kept of it. A logo without it is from before there were sizes.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("size > 0", name="not_empty"),
        CheckConstraint("kind <> 'image' OR image IS NOT NULL", name="image_is_told"),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[UploadKind] = mapped_column(words(UploadKind))
    key: Mapped[str] = mapped_column(unique=True)
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes in storage
    sha256: Mapped[bytes]  # of what came
    image: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[CreatedAt]
