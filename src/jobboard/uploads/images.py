"""Pictures: decoded with a fixed list of formats and a pixel cap, and always encoded anew."""

import warnings
from io import BytesIO

from anyio import CapacityLimiter, to_thread
from PIL import Image, ImageOps, UnidentifiedImageError

from jobboard.errors import TooLarge, UnsupportedMedia

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_PIXELS = 25_000_000
LOGO_SIDE = 256  # pixels; shown at 96 at most, so it stays sharp on dense screens
AT_ONCE = 1

_limiter: list[CapacityLimiter] = []


async def make_logo(data: bytes) -> bytes:
    """A WebP of at most 256 by 256 pixels, upright, without metadata."""
    if not _limiter:
        _limiter.append(CapacityLimiter(AT_ONCE))
    return await to_thread.run_sync(_logo, data, limiter=_limiter[0])


def _logo(data: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns about bombs and odd metadata
            return _encode(_open(data))
    except Image.DecompressionBombError:
        raise _too_large() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning, ArithmeticError):
        raise UnsupportedMedia(
            "We cannot read this picture. Send a PNG, JPEG, WebP or GIF."
        ) from None


def _open(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise _too_large()
    image.draft("RGB", (LOGO_SIDE * 2, LOGO_SIDE * 2))  # JPEG: decode no more than is needed
    image.load()
    return image


def _too_large() -> TooLarge:
    return TooLarge(f"This picture has more than {MAX_PIXELS // 1_000_000} million pixels.")


def _encode(image: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    small = upright.convert(mode)
    small.thumbnail((LOGO_SIDE, LOGO_SIDE))
    out = BytesIO()
    small.save(out, "WEBP", quality=85, method=4)
    return out.getvalue()
