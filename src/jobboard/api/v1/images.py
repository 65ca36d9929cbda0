"""Pictures: hand one in, see what it was, take it back."""

from typing import Annotated

from fastapi import File, UploadFile

from jobboard.api.deps import (
    LIMIT,
    ActorAloneDep,
    ActorDep,
    Cursor,
    EnginesDep,
    Limit,
    PathId,
    SessionDep,
)
from jobboard.api.idempotency import LateKeyDep
from jobboard.api.route import Router
from jobboard.infra.rates import UPLOADS, limited
from jobboard.pagination import Page
from jobboard.uploads import service
from jobboard.uploads.schemas import ImageRead

router = Router(prefix="/images", tags=["uploads"])

PictureFile = Annotated[
    UploadFile,
    File(description="PNG, JPEG, WebP, GIF or AVIF, of at most 25 million pixels."),
]


@router.get("")
async def list_images(
    session: SessionDep, actor: ActorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[ImageRead]:
    """Your own pictures, latest first."""
    return await service.list_images(session, actor.id, cursor=cursor, limit=limit)


@router.post("", status_code=201)
@limited(UPLOADS)
async def create_image(
    file: PictureFile,
    session: SessionDep,
    actor: ActorAloneDep,
    engines: EnginesDep,
    key: LateKeyDep,
) -> ImageRead:
    """Hand in a picture.

    The answer tells what came (format, size, checksum, frames, colours, whether it carried EXIF)
    and, in `variants`, what is kept of it: three sizes, encoded anew, in sRGB, upright, without
    EXIF, place, comments or anything else of the file. Of an animation the first frame is kept.

    Whoever knows the address of a variant can load it, so that it can stand on pages and in mail;
    what you are told here is for you alone. A 415 says what to send instead, a 422 that the file is
    damaged, a 413 that it is too large, in bytes, pixels or for your quota, and a 503 that too many
    people are sending pictures just now.
    """
    picture = await service.read_picture(engines.pictures, engines.settings, await file.read())
    await key.claim(actor)
    upload = await service.add_picture(
        session, engines.storage, engines.settings, actor.id, picture, filename=file.filename
    )
    return ImageRead.of(upload)


@router.get("/{id}")
async def get_image(image_id: PathId, session: SessionDep, actor: ActorDep) -> ImageRead:
    """One of your own pictures: what it was, and where its files are."""
    return ImageRead.of(await service.get_image(session, actor.id, image_id))


@router.delete("/{id}", status_code=204)
async def delete_image(image_id: PathId, session: SessionDep, actor: ActorDep) -> None:
    """Take a picture back; its files go, and your quota has room again.

    A logo is taken from its company instead: it goes when another takes its place.
    """
    await service.forget_image(session, actor.id, image_id)
