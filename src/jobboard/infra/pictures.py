"""Pictures that people send: recognised here, decoded and encoded anew in processes of their own.

Each picture gets one short-lived process (`picturereader.py`), a few at once and a few that wait.
So a file that wants gigabytes takes nothing from this process, and one that kills its decoder
kills nothing else.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

import structlog

from jobboard.errors import Invalid, TooLarge, Unavailable, UnsupportedMedia

MAX_PIXELS = 25_000_000
AT_ONCE = 2
WAITING = 8
PATIENCE = 60.0  # seconds for one picture; its process may use a third of that on a processor
# -B: on a full disk Python keeps half of a compiled module, and reads no picture ever after.
READER = (sys.executable, "-IB", "-m", "jobboard.infra.picturereader")
KINDS = (  # format, where its mark stands, the mark
    ("PNG", 0, b"\x89PNG\r\n\x1a\n"),
    ("JPEG", 0, b"\xff\xd8\xff"),
    ("GIF", 0, b"GIF87a"),
    ("GIF", 0, b"GIF89a"),
    ("WEBP", 8, b"WEBPVP8"),
    ("AVIF", 4, b"ftypavif"),
    ("AVIF", 4, b"ftypavis"),
)
OTHERS = (  # what people try to send, by the name that they know
    ("a HEIC photo. In the Photos app, share or export it as a JPEG", 4, b"ftyphei"),
    ("a HEIC photo. In the Photos app, share or export it as a JPEG", 4, b"ftyphev"),
    ("a HEIC photo. In the Photos app, share or export it as a JPEG", 4, b"ftypmif1"),
    ("a TIFF. Save it as a PNG or JPEG", 0, b"II*\0"),
    ("a TIFF. Save it as a PNG or JPEG", 0, b"MM\0*"),
    ("a Windows bitmap. Save it as a PNG", 0, b"BM"),
    ("a Windows icon. Save it as a PNG", 0, b"\0\0\1\0"),
    ("a Photoshop file. Export it as a PNG", 0, b"8BPS"),
    ("a PDF. Export the picture as a PNG or JPEG", 0, b"%PDF"),
)
SVG = "an SVG, which may hold scripts. Export it as a PNG, 512 pixels wide or more"
log: Any = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Picture:
    """What came, and what is kept of it.

    `facts` holds `format mode width height bytes sha256 frames has_alpha dominant_color removed`,
    and `variants`, in the order of `files`: `name format width height bytes`.
    """

    facts: dict[str, Any]
    files: tuple[bytes, ...]


def recognise(data: bytes) -> str:
    """The format by the file's first bytes; its name does not count. Raises UnsupportedMedia."""
    for kind, at, mark in KINDS:
        if data.startswith(mark, at):
            return kind
    for words, at, mark in OTHERS:
        if data.startswith(mark, at):
            raise UnsupportedMedia(f"This is {words}.")
    if b"<svg" in data[:1024].lower():
        raise UnsupportedMedia(f"This is {SVG}.")
    raise UnsupportedMedia("We can read no picture in this. Send a PNG, JPEG, WebP, GIF or AVIF.")


class Pictures:
    """Reads pictures, `at_once` at a time. Made once for each process."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    async def read(self, data: bytes) -> Picture:
        """Decode and encode anew. Hold no transaction meanwhile: it takes up to a few seconds.

        Raises UnsupportedMedia, Invalid for a damaged file, TooLarge for too many pixels, and
        Unavailable when too many wait already.
        """
        kind = recognise(data)
        if not self._room:
            raise Unavailable(
                "Many people are sending pictures just now. Try again in a few seconds.",
                code="too_many_pictures",
            )
        self._room -= 1
        try:
            async with self._slots:
                answer = await _ask_reader(data, kind)
        finally:
            self._room += 1
        return _unpack(answer)


async def _ask_reader(data: bytes, kind: str) -> bytes:
    """What the reader says, or nothing where it died of the file."""
    process = await asyncio.create_subprocess_exec(
        *(*READER, kind, str(MAX_PIXELS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env={},  # none of our secrets
    )
    try:
        async with asyncio.timeout(PATIENCE):
            answer, _ = await process.communicate(data)
    except TimeoutError:
        raise Unavailable from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.warning("picture.reader_died", kind=kind, exit_code=process.returncode)
        return b""
    return answer


def _unpack(answer: bytes) -> Picture:
    head, _, rest = answer.partition(b"\n")
    facts: dict[str, Any] = json.loads(head) if head else {"refused": "work"}
    if reason := facts.get("refused"):
        raise _refusal(reason)
    files, at = [], 0
    for entry in facts["variants"]:
        files.append(rest[at : at + entry["bytes"]])
        at += entry["bytes"]
    return Picture(facts, tuple(files))


def _refusal(reason: str) -> Invalid | TooLarge:
    if reason == "pixels":
        millions = MAX_PIXELS // 1_000_000
        return TooLarge(
            f"This picture has more than {millions} million pixels. Send a smaller copy.",
            code="too_many_pixels",
        )
    if reason == "work":
        return TooLarge(
            "This picture takes too much work to read. Save it again as a plain PNG or JPEG.",
            code="picture_too_complex",
        )
    return Invalid.field(
        "file",
        "This picture is damaged or cut short. Open it, save it again and send that.",
        code="picture_damaged",
    )
