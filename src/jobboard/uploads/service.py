"""The verbs of files: keep one after its checks, find it, hand it out."""

import hashlib
import secrets
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import structlog
from obstore.exceptions import BaseError
from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.errors import Invalid, NotFound, TooLarge
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.uploads.models import Upload, UploadKind
from jobboard.uploads.resumes import clean_filename, media_type_of

MEGABYTE = 1024 * 1024
log: Any = structlog.get_logger()


async def add_resume(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    person_id: UUID,
    *,
    filename: str | None,
    data: bytes,
) -> Upload:
    """Keep a résumé. Raises TooLarge, UnsupportedMedia, or Invalid when empty or over quota."""
    name = clean_filename(filename)
    _check_size(data, settings.resume_max_mb)
    media_type = media_type_of(name, data)
    return await _keep(
        session, storage, settings, person_id, UploadKind.RESUME, name, media_type, data
    )


async def add_logo(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    person_id: UUID,
    *,
    filename: str | None,
    data: bytes,
) -> Upload:
    """Keep a picture as a logo: small, upright, WebP, nothing of the original file."""
    _check_size(data, settings.image_max_mb)
    # Here, not above: Pillow is 2 MB, and most processes never see a picture.
    from jobboard.uploads.images import make_logo

    logo = await make_logo(data)
    name = clean_filename(filename)
    return await _keep(
        session, storage, settings, person_id, UploadKind.LOGO, name, "image/webp", logo
    )


def _check_size(data: bytes, megabytes: int) -> None:
    if not data:
        raise Invalid.field("file", "This file is empty.")
    if len(data) > megabytes * MEGABYTE:
        raise TooLarge(f"This file is larger than {megabytes} MB.")


async def _keep(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    person_id: UUID,
    kind: UploadKind,
    filename: str,
    media_type: str,
    data: bytes,
) -> Upload:
    await _check_quota(session, settings, person_id, len(data))
    upload = Upload(
        person_id=person_id,
        kind=kind,
        key=f"{kind}s/{secrets.token_hex(16)}",
        filename=filename,
        media_type=media_type,
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
    )
    session.add(upload)
    await session.flush()
    await storage.put(upload.key, data)
    return upload


async def _check_quota(
    session: AsyncSession, settings: Settings, person_id: UUID, more: int
) -> None:
    """Raise TooLarge when `more` bytes are too many. One at a time for each person."""
    own_lock = func.hashtextextended(f"uploads of {person_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(own_lock)))
    used = await session.scalar(select(func.sum(Upload.size)).where(Upload.person_id == person_id))
    if (used or 0) + more > settings.upload_quota_mb * MEGABYTE:
        raise TooLarge(
            f"All your files together are larger than {settings.upload_quota_mb} MB.",
            code="quota_exceeded",
        )


async def forget_logo(session: AsyncSession, storage: Storage, key: str) -> None:
    """Give up a logo that nobody shows any more. A file that cannot be deleted is left behind."""
    logo = (Upload.key == key, Upload.kind == UploadKind.LOGO)
    await session.execute(delete(Upload).where(*logo))
    try:
        await storage.delete(key)
    except (BaseError, OSError) as error:
        log.warning("file not deleted", key=key, error=str(error))


async def get(session: AsyncSession, upload_id: UUID) -> Upload:
    """One file's row, or NotFound. Who may load it is decided by the caller."""
    upload = await session.get(Upload, upload_id)
    if upload is None:
        raise NotFound("There is no such file.", code="file_not_found")
    return upload


async def content(storage: Storage, upload: Upload) -> AsyncGenerator[bytes]:
    """A file's bytes in pieces. NotFound when the storage lost it, before any piece is sent."""
    try:
        return await storage.open(upload.key)
    except FileNotFoundError:
        raise NotFound("This file is no longer there.", code="file_not_found") from None


async def is_own(session: AsyncSession, person_id: UUID, upload_id: UUID) -> bool:
    """Whether the person handed this file in."""
    upload = await session.get(Upload, upload_id)
    return upload is not None and upload.person_id == person_id


async def require_own_resume(session: AsyncSession, person_id: UUID, upload_id: UUID) -> None:
    """Raise Invalid unless this is a résumé of this person."""
    upload = await session.get(Upload, upload_id)
    if upload is None or upload.person_id != person_id or upload.kind is not UploadKind.RESUME:
        raise Invalid.field("resume_id", "This is not one of your résumés.")


def resumes_of(person_id: UUID) -> Select[Upload]:
    """A person's résumés, newest first."""
    return (
        select(Upload)
        .where(Upload.person_id == person_id, Upload.kind == UploadKind.RESUME)
        .order_by(Upload.created_at.desc(), Upload.id.desc())
    )
