"""Odd pictures, as people and attackers send them."""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.factories.files import picture

RED, GREEN, BLUE = (220, 30, 30), (30, 180, 60), (30, 60, 200)
ORIENTATION, GPS = 0x0112, 0x8825
TURNED = {  # what a camera held so stores: the other way round of what viewers do
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def flag() -> Image.Image:
    """60 by 40: red at the top left, green at the top right, blue below."""
    image = Image.new("RGB", (60, 40), BLUE)
    image.paste(RED, (0, 0, 30, 20))
    image.paste(GREEN, (30, 0, 60, 20))
    return image


def photo(orientation: int, kind: str = "JPEG") -> bytes:
    """The flag as a camera stores it, with where and by whom it was taken."""
    turn = TURNED[orientation]
    image = flag() if turn is None else flag().transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x013B] = "Secret Author"
    exif[GPS] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return saved(image, kind, exif=exif, **({"quality": 95} if kind != "PNG" else {}))


def with_texts() -> bytes:
    """A PNG with a comment, XMP and a colour profile."""
    texts = PngInfo()
    texts.add_text("Comment", "secret words")
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>secret place</x:xmpmeta>")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return saved(flag(), "PNG", pnginfo=texts, icc_profile=profile)


def animation(kind: str, frames: int = 3) -> bytes:
    """Red first, then other colours."""
    colours = [RED, GREEN, BLUE]
    images = [Image.new("RGB", (30, 20), colours[number % 3]) for number in range(frames)]
    return saved(images[0], kind, save_all=True, append_images=images[1:], duration=100)


def see_through(mode: str) -> bytes:
    """Half red, half transparent, as a PNG in this mode."""
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste((*RED, 255), (0, 0, 20, 20))
    if mode == "P":
        return saved(image.quantize(8), "PNG")
    return saved(image.convert(mode), "PNG")


def png(width: int, height: int, *, bits: int = 8, colours: int = 0) -> bytes:
    """A black PNG made by hand: any size, in as few bytes as zlib can. `colours`: 0 grey, 2 RGB."""
    samples = 3 if colours == 2 else 1
    row = b"\0" * (1 + (width * bits * samples + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def claiming(width: int, height: int) -> bytes:
    """A GIF of a few bytes that says it is this large."""
    data = bytearray(saved(Image.new("P", (1, 1)), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    at = data.index(b"\x2c")
    data[at + 5 : at + 9] = struct.pack("<HH", width, height)
    return bytes(data)


def polyglot() -> bytes:
    """A GIF that is also a script, and has an archive behind it."""
    return picture(kind="GIF") + b"/*=1;alert('polyglot')//" + b"PK\x03\x04" + b"archive" * 20
