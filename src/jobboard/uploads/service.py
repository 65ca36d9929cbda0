"""The verbs of files: keep one after its checks, find it, hand it out, forget it.

Rows and files cannot commit together. A file is written before its row is committed, and deleted
by a message after; so a row always has its files, and what is left behind when a transaction
fails (`sweep`) is a file that nobody can find.
"""

import hashlib
import secrets
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import structlog
from obstore.exceptions import BaseError
from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.errors import Invalid, NotFound, TooLarge, Unavailable
from jobboard.infra.pictures import Picture, Pictures
from jobboard.infra.queue import enqueue
from jobboard.infra.storage import Storage
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.settings import Settings
from jobboard.uploads.images import file_keys, upload_key
from jobboard.uploads.models import Upload, UploadKind
from jobboard.uploads.resumes import clean_filename, media_type_of
from jobboard.uploads.schemas import ImageRead

MEGABYTE = 1024 * 1024
FORGET_FILES = "files.forget"  # the message whose `keys` are deleted from storage
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
    upload = Upload(
        person_id=person_id,
        kind=UploadKind.RESUME,
        key=f"resumes/{secrets.token_hex(16)}",
        filename=name,
        media_type=media_type_of(name, data),
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
    )
    await _keep(session, storage, settings, upload, {upload.key: data})
    return upload


async def read_picture(pictures: Pictures, settings: Settings, data: bytes) -> Picture:
    """Decode a picture and encode it anew. Call it where no transaction is open: it takes time.

    Raises Invalid when empty or damaged, TooLarge, UnsupportedMedia, and Unavailable when too many
    people send one just now.
    """
    _check_size(data, settings.image_max_mb)
    return await pictures.read(data)


async def add_picture(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    person_id: UUID,
    picture: Picture,
    *,
    filename: str | None,
    kind: UploadKind = UploadKind.IMAGE,
) -> Upload:
    """Keep a picture in its sizes, nothing of the file that came. Raises TooLarge over quota."""
    upload = Upload(
        person_id=person_id,
        kind=kind,
        key=f"images/{secrets.token_hex(16)}",
        filename=clean_filename(filename),
        media_type="image/webp",
        size=sum(map(len, picture.files)),
        sha256=bytes.fromhex(picture.facts["sha256"]),
        image=picture.facts,
    )
    keys = file_keys(upload.key, upload.image)
    await _keep(session, storage, settings, upload, dict(zip(keys, picture.files, strict=True)))
    return upload


def _check_size(data: bytes, megabytes: int) -> None:
    if not data:
        raise Invalid.field("file", "This file is empty.")
    if len(data) > megabytes * MEGABYTE:
        raise TooLarge(f"This file is larger than {megabytes} MB.")


async def _keep(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    upload: Upload,
    files: dict[str, bytes],
) -> None:
    await _check_quota(session, settings, upload.person_id, upload.size)
    session.add(upload)
    await session.flush()
    try:
        for key, data in files.items():
            await storage.put(key, data)
    except (BaseError, OSError) as error:
        log.warning("file not stored", key=upload.key, error=str(error))
        raise Unavailable("We cannot keep files just now. Try again in a moment.") from None


async def _check_quota(
    session: AsyncSession, settings: Settings, person_id: UUID, more: int
) -> None:
    """Raise TooLarge when `more` bytes are too many. One at a time for each person."""
    own_lock = func.hashtextextended(f"uploads of {person_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(own_lock)))
    used = await session.scalar(select(func.sum(Upload.size)).where(Upload.person_id == person_id))
    if (used or 0) + more > settings.upload_quota_mb * MEGABYTE:
        raise TooLarge(
            f"All your files together may have {settings.upload_quota_mb} MB, and with this one "
            "they have more. Delete some that you no longer need.",
            code="quota_exceeded",
        )


async def forget(session: AsyncSession, *where: ColumnElement[bool]) -> int:
    """Give up uploads; their files go when this transaction is committed. How many they were."""
    statement = delete(Upload).where(*where).returning(Upload.key, Upload.image)
    gone = (await session.execute(statement)).all()
    for key, image in gone:
        enqueue(session, FORGET_FILES, {"keys": file_keys(key, image)})
    return len(gone)


async def forget_logo(session: AsyncSession, logo_key: str) -> None:
    """Give up a logo that nobody shows any more."""
    await forget(session, Upload.key == upload_key(logo_key), Upload.kind == UploadKind.LOGO)


async def forget_image(session: AsyncSession, person_id: UUID, upload_id: UUID) -> None:
    """Give up one's own picture. NotFound for a logo: that is taken from its company."""
    own = (Upload.id == upload_id, Upload.person_id == person_id, Upload.kind == UploadKind.IMAGE)
    if not await forget(session, *own):
        raise _no_image()


async def sweep(session: AsyncSession, storage: Storage, keys: list[str]) -> int:
    """Delete those of these files that belong to no upload. How many they were."""
    owners = {upload_key(key) for key in keys}
    known = set(await session.scalars(select(Upload.key).where(Upload.key.in_(owners))))
    lost = [key for key in keys if upload_key(key) not in known]
    for key in lost:
        await storage.delete(key)
    return len(lost)


async def get_image(session: AsyncSession, person_id: UUID, upload_id: UUID) -> Upload:
    """One's own picture, or NotFound."""
    upload = await session.scalar(images_of(person_id).where(Upload.id == upload_id))
    if upload is None:
        raise _no_image()
    return upload


def _no_image() -> NotFound:
    return NotFound("You have no such picture.", code="image_not_found")


async def list_images(
    session: AsyncSession, person_id: UUID, *, cursor: str | None, limit: int
) -> Page[ImageRead]:
    """One's own pictures, latest first."""
    statement = images_of(person_id).limit(limit + 1)
    if before := read_moment_cursor(cursor):
        statement = statement.where(func.row(Upload.created_at, Upload.id) < func.row(*before))
    found, more = cut((await session.scalars(statement)).all(), limit)
    last = found[-1] if more else None
    return Page(
        items=[ImageRead.of(upload) for upload in found],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


def images_of(person_id: UUID) -> Select[Upload]:
    """A person's pictures, logos that they handed in among them, latest first."""
    return (
        select(Upload)
        .where(Upload.person_id == person_id, Upload.image.is_not(None))
        .order_by(Upload.created_at.desc(), Upload.id.desc())
    )


async def get(session: AsyncSession, upload_id: UUID) -> Upload:
    """One file's row, or NotFound. Who may load it is decided by the caller."""
    upload = await session.get(Upload, upload_id)
    if upload is None:
        raise NotFound("There is no such file.", code="file_not_found")
    return upload


async def content(storage: Storage, upload: Upload) -> AsyncGenerator[bytes]:
    """A file's bytes in pieces, of a picture its largest size.

    NotFound when the storage lost it, before any piece is sent.
    """
    try:
        return await storage.open(file_keys(upload.key, upload.image)[0])
    except FileNotFoundError:
        raise NotFound("This file is no longer there.", code="file_not_found") from None


async def is_own(session: AsyncSession, person_id: UUID, upload_id: UUID) -> bool:
    """Whether the person handed this file in."""
    upload = await session.get(Upload, upload_id)
    return upload is not None and upload.person_id == person_id


async def require_own_resume(session: AsyncSession, person_id: UUID, upload_id: UUID) -> None:
    """Raise Invalid unless this is a résumé of this person, which then stays until the commit."""
    own = resumes_of(person_id).where(Upload.id == upload_id).with_for_update(key_share=True)
    if await session.scalar(own) is None:
        raise Invalid.field("resume_id", "This is not one of your résumés.")


async def lock_own_resume(session: AsyncSession, person_id: UUID, upload_id: UUID) -> None:
    """Hold one's own résumé until the commit: nothing can begin to refer to it. Or NotFound."""
    own = resumes_of(person_id).where(Upload.id == upload_id).with_for_update()
    if await session.scalar(own) is None:
        raise NotFound("You have no such résumé.", code="resume_not_found")


def resumes_of(person_id: UUID) -> Select[Upload]:
    """A person's résumés, newest first."""
    return (
        select(Upload)
        .where(Upload.person_id == person_id, Upload.kind == UploadKind.RESUME)
        .order_by(Upload.created_at.desc(), Upload.id.desc())
    )
