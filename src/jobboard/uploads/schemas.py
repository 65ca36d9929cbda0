"""Shapes of files."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, computed_field

from jobboard.uploads.images import file_key
from jobboard.uploads.models import Upload


class ResumeRead(BaseModel):
    """A résumé that was handed in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    filename: str
    media_type: str
    size: int
    created_at: datetime

    @computed_field
    @property
    def url(self) -> str:
        """Where its owner, and those it was sent to, can load it."""
        return f"/api/v1/resumes/{self.id}/file"


class ImageVariant(BaseModel):
    """One size of a picture in one format, as it is kept and served."""

    name: Literal["full", "card", "logo"] = Field(
        description="`full` is at most 2048 pixels on its longer side, `card` 640, `logo` 256. "
        "None is larger than the picture that came."
    )
    format: Literal["WEBP", "AVIF"]
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    bytes: int = Field(ge=1)
    url: str = Field(
        description="Public, for whoever knows it; what it serves never changes.",
        examples=["/images/3f2b8c9e01d24c5f8a7b6c5d4e3f2a1b-card.webp"],
    )


class ImageRead(BaseModel):
    """A picture that was handed in.

    `format` to `exif_removed` tell of the file as it came, so that you can compare it with yours.
    What is kept is encoded anew, in sRGB, upright, its first frame only and without any metadata:
    `variants` tells of that, file by file.
    """

    id: UUID
    url: str = Field(
        description="The picture as it is kept, in WebP: the `full` variant.",
        examples=["/images/3f2b8c9e01d24c5f8a7b6c5d4e3f2a1b-full.webp"],
    )
    format: Literal["PNG", "JPEG", "GIF", "WEBP", "AVIF"] = Field(
        description="Of the file that came, by its content; its name does not count."
    )
    mode: str = Field(
        description="How its pixels came, in Pillow's words: `RGB`, `RGBA`, `P` (palette), "
        "`L` (grey), `CMYK`, `I;16` (16 bit grey), ...",
        examples=["RGB"],
    )
    width: int = Field(ge=1, description="In pixels, as one sees it: upright.")
    height: int = Field(ge=1, description="In pixels, as one sees it: upright.")
    bytes: int = Field(ge=1, description="Size of the file that came.")
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="Of the file that came: did it arrive whole?"
    )
    frames: int = Field(
        ge=1, description="1, or how many an animation has. We keep the first: nothing here moves."
    )
    has_alpha: bool = Field(description="Whether it came with an alpha channel or a clear colour.")
    dominant_color: str | None = Field(
        pattern="^#[0-9a-f]{6}$",
        description="What most of it looks like, for its place while it loads; null where all of "
        "it is transparent.",
        examples=["#0c5078"],
    )
    exif_removed: bool = Field(
        description="Whether the file carried EXIF (camera, time, often the place); it is gone."
    )
    removed: list[Literal["exif", "gps", "icc", "iptc", "text", "xmp"]] = Field(
        description="All that the file carried beside its pixels, and no variant does."
    )
    variants: list[ImageVariant]
    created_at: datetime

    @classmethod
    def of(cls, upload: Upload) -> Self:
        """From the row of a picture."""
        facts = upload.image or {}
        variants = [
            entry | {"url": f"/{file_key(upload.key, entry['name'], entry['format'])}"}
            for entry in facts["variants"]
        ]
        return cls.model_validate(
            facts
            | {
                "id": upload.id,
                "url": variants[0]["url"],
                "exif_removed": "exif" in facts["removed"],
                "variants": variants,
                "created_at": upload.created_at,
            }
        )
