"""A process that reads one picture and ends: `python -m jobboard.infra.picturereader KIND PIXELS`.

The file comes on standard input. What goes out is a line of JSON, then the files that it lists,
one after the other, each encoded anew. Decoders are where hostile files do their harm: here they
meet limits of memory, time and files, none of the server's secrets, and an end.
"""

import hashlib
import json
import resource
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import (
    AvifImagePlugin,  # noqa: F401 - or the first picture that is saved makes Pillow import all
    Image,
    ImageCms,
    WebPImagePlugin,  # noqa: F401 - as above
)

MEMORY = 768 * 1024 * 1024  # bytes of address space; 25 megapixels with alpha take 490 MB
SECONDS = 20  # of processor time
OPENERS = {"JPEG": ("JPEG", "MPO")}  # what several cameras call a JPEG with a second picture in it
UPRIGHT = {  # EXIF 2.32, tag 274: what brings each orientation upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = {5, 6, 7, 8}
ORIENTATION, GPS = 0x0112, 0x8825
FULL_SIDE = 2048
ENCODERS: dict[str, dict[str, Any]] = {
    "WEBP": {"quality": 82, "method": 4},
    "AVIF": {"quality": 65, "speed": 6, "max_threads": 1},
}
SIZES = (  # name, longest side in pixels, formats
    ("full", FULL_SIDE, ("WEBP",)),
    ("card", 640, ("WEBP", "AVIF")),
    ("logo", 256, ("WEBP", "AVIF")),
)
# What a broken file makes decoders raise.
BROKEN = (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, ArithmeticError)
BROKEN = (*BROKEN, EOFError, AttributeError, RuntimeError, struct.error)


@dataclass(frozen=True, slots=True)
class Found:
    """What the container says: of the file as it came, not of what is kept."""

    format: str
    mode: str
    frames: int
    has_alpha: bool
    orientation: int
    removed: list[str]


class Refused(Exception):
    """`pixels`, `broken` or `work`."""


def main() -> None:  # pragma: no cover - nobody can measure a process without an environment
    """Read the picture that waits on standard input, within limits."""
    confine()
    warnings.simplefilter("ignore")  # of odd metadata: what counts is whether the pixels are there
    Image.MAX_IMAGE_PIXELS = None  # Pillow would warn first and refuse late; `_open` counts
    kind, pixels = sys.argv[1], int(sys.argv[2])
    data = sys.stdin.buffer.read()
    try:
        answer, files = read(data, kind, pixels)
    except Refused as refusal:
        answer, files = {"refused": str(refusal)}, []
    out = sys.stdout.buffer
    out.write(json.dumps(answer).encode() + b"\n")
    out.writelines(files)


def confine() -> None:  # pragma: no cover - afterwards no process could write what it measured
    """Take from this process what a decoder never needs."""
    with suppress(ValueError, OSError):  # macOS knows the limit and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(data: bytes, kind: str, max_pixels: int) -> tuple[dict[str, Any], list[bytes]]:
    """What the picture is, and its files. Raises Refused."""
    try:
        image, size = _open(data, kind, max_pixels)
        found = _look(image, kind)
        full = _to_srgb(_shrunk(image, FULL_SIDE), image.info.get("icc_profile"))
    except MemoryError:
        raise Refused("work") from None
    except BROKEN:
        raise Refused("broken") from None
    del image
    if found.orientation in UPRIGHT:
        full = full.transpose(UPRIGHT[found.orientation])
    width, height = reversed(size) if found.orientation in SIDEWAYS else size
    listed, files = [], []
    for entry, content in _encode(full):
        listed.append(entry | {"bytes": len(content)})
        files.append(content)
    answer = {
        "format": found.format,
        "mode": found.mode,
        "width": width,
        "height": height,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "frames": found.frames,
        "has_alpha": found.has_alpha,
        "dominant_color": dominant_color(full),
        "removed": found.removed,
        "variants": listed,
    }
    return answer, files


def _open(data: bytes, kind: str, max_pixels: int) -> tuple[Image.Image, tuple[int, int]]:
    """The first frame, decoded, and its real size: a JPEG is not decoded larger than we keep."""
    image = Image.open(BytesIO(data), formats=OPENERS.get(kind, (kind,)))
    size = image.size
    if size[0] * size[1] > max_pixels:
        raise Refused("pixels")
    return image, size


def _look(image: Image.Image, kind: str) -> Found:
    mode = image.mode
    frames = getattr(image, "n_frames", 1) if image.format != "MPO" else 1
    image.draft(None, (FULL_SIDE, FULL_SIDE))
    image.load()
    exif = _exif(image)
    return Found(
        format=kind,
        mode=mode,
        frames=frames,
        has_alpha=image.has_transparency_data,
        orientation=exif.get(ORIENTATION, 1),
        removed=sorted(_metadata(image, exif)),
    )


def _exif(image: Image.Image) -> Image.Exif:
    """Damaged EXIF is no reason to refuse a picture: we throw it away in any case."""
    try:
        exif = image.getexif()
        exif.get(ORIENTATION)
    except (*BROKEN, MemoryError):
        return Image.Exif()
    return exif


def _metadata(image: Image.Image, exif: Image.Exif) -> Iterator[str]:
    info = image.info
    if "exif" in info or len(exif):
        yield "exif"
    if GPS in exif:
        yield "gps"
    if "xmp" in info or "XML:com.adobe.xmp" in info:
        yield "xmp"
    if "photoshop" in info:
        yield "iptc"
    if "icc_profile" in info:
        yield "icc"
    if "comment" in info or getattr(image, "text", None):
        yield "text"


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """In a mode that can be resized and encoded, `side` pixels long at most."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode.startswith("I;16"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("RGB")
    else:
        image = image.copy()
    image.thumbnail((side, side))
    return image


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in the colours that every screen expects, without a profile."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    converted = _through_profile(colours, profile) if profile else None
    colours = converted or colours.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    colours.info.clear()  # encoders would write some of it
    return colours


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None where the profile is damaged or is not for this kind of picture."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, *BROKEN):
        return None


def _encode(full: Image.Image) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each size in each of its formats; none is larger than the picture is."""
    for name, side, formats in SIZES:
        image = full.copy()
        image.thumbnail((side, side))
        for encoder in formats:
            out = BytesIO()
            image.save(out, encoder, **ENCODERS[encoder])
            entry = {"name": name, "format": encoder, "width": image.width, "height": image.height}
            yield entry, out.getvalue()


def dominant_color(image: Image.Image) -> str | None:
    """The colour of most of what is opaque, as `#rrggbb`; None where nothing is."""
    small = image.convert("RGBA")
    small.thumbnail((64, 64))
    raw = small.tobytes()
    opaque = [raw[i : i + 3] for i in range(0, len(raw), 4) if raw[i + 3] >= 128]
    if not opaque:
        return None
    # Near colours count as one: a photograph hardly has the same twice.
    bucket, _ = Counter(bytes(part >> 5 for part in colour) for colour in opaque).most_common(1)[0]
    members = [colour for colour in opaque if bytes(part >> 5 for part in colour) == bucket]
    mean = (round(sum(parts) / len(members)) for parts in zip(*members, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mean)


if __name__ == "__main__":  # pragma: no cover - as `main`
    main()
