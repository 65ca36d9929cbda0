"""Files in storage. Knows people only by id."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.infra.postgres import Base, CreatedAt, Id, words


class UploadKind(StrEnum):
    """What a file is for; each has its own checks."""

    RESUME = "resume"
    LOGO = "logo"


class Upload(Base):
    """One file: `key` is its random name in storage, `filename` what its owner called it."""

    __tablename__ = "uploads"
    __table_args__ = (CheckConstraint("size > 0", name="not_empty"),)

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[UploadKind] = mapped_column(words(UploadKind))
    key: Mapped[str] = mapped_column(unique=True)
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[bytes]
    created_at: Mapped[CreatedAt]
