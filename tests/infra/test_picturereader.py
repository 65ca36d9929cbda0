"""The process that reads one picture: upright whatever the camera, harmless whatever the file."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from jobboard.errors import TooLarge, Unavailable
from jobboard.infra import picturereader
from jobboard.infra import pictures as parent
from jobboard.infra.picturereader import Refused, dominant_color, read
from jobboard.infra.pictures import Pictures
from tests.factories import pictures
from tests.factories.files import picture

MOST = 25_000_000


def first(data: bytes, kind: str) -> Image.Image:
    """The largest size."""
    _, files = read(data, kind, MOST)
    return Image.open(BytesIO(files[0])).convert("RGB")


def near(one: object, other: tuple[int, int, int]) -> bool:
    assert isinstance(one, tuple)
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(orientation: int) -> None:
    answer, _ = read(pictures.photo(orientation), "JPEG", MOST)
    assert (answer["width"], answer["height"]) == (60, 40)
    image = first(pictures.photo(orientation), "JPEG")
    assert image.size == (60, 40)
    assert near(image.getpixel((5, 5)), pictures.RED)
    assert near(image.getpixel((55, 5)), pictures.GREEN)
    assert near(image.getpixel((5, 35)), pictures.BLUE)


def test_an_orientation_that_does_not_exist_is_ignored() -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 9
    assert first(pictures.saved(pictures.flag(), "JPEG", exif=exif), "JPEG").size == (60, 40)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_spoil_the_picture() -> None:
    data = pictures.saved(pictures.flag(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff garbage")
    answer, _ = read(data, "JPEG", MOST)
    assert answer["removed"] == ["exif"]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
@pytest.mark.parametrize("profile", ["LAB", b"no profile at all"])
def test_a_profile_that_does_not_fit_is_ignored(mode: str, profile: str | bytes) -> None:
    if isinstance(profile, str):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    data = pictures.saved(pictures.flag().convert(mode), kind, icc_profile=profile)
    assert read(data, kind, MOST)[0]["removed"] == ["icc"]


def test_colours_go_through_their_profile() -> None:
    data = pictures.saved(pictures.flag(), "PNG", icc_profile=swapped_profile())
    assert near(first(data, "PNG").getpixel((5, 35)), (200, 60, 30))


def swapped_profile() -> bytes:
    """sRGB with red and blue changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(profile)
    for ours, theirs in ((b"rXYZ", b"bXYZ"), (b"bXYZ", b"rXYZ")):
        at = profile.index(ours)
        swapped[at : at + 4] = theirs
    return bytes(swapped)


def test_more_pixels_than_we_take_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(Refused, match="pixels"):
        read(picture(64, 64), "PNG", 64 * 63)


def test_what_is_not_the_picture_itself_is_named_and_gone() -> None:
    answer, files = read(pictures.with_texts(), "PNG", MOST)
    assert answer["removed"] == ["icc", "text", "xmp"]
    assert not any(b"secret" in file for file in files)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_seen_through_stays_so(mode: str) -> None:
    answer, files = read(pictures.see_through(mode), "PNG", MOST)
    assert answer["has_alpha"] is True
    kept = Image.open(BytesIO(files[0])).convert("RGBA").getchannel("A")
    assert (kept.getpixel((5, 10)), kept.getpixel((35, 10))) == (255, 0)


@pytest.mark.parametrize("mode", ["1", "P", "I;16"])
def test_every_depth_of_grey_becomes_the_same_grey(mode: str) -> None:
    image = Image.new("I;16", (40, 20), 0xFFFF) if mode == "I;16" else Image.new("L", (40, 20), 255)
    data = pictures.saved(image if mode == "I;16" else image.convert(mode), "PNG")
    assert near(first(data, "PNG").getpixel((5, 5)), (255, 255, 255))


def test_nothing_to_see_has_no_colour() -> None:
    assert dominant_color(Image.new("RGBA", (9, 9), (200, 30, 30, 0))) is None


def outcome(data: bytes, kind: str) -> object:
    """The size that was read, or why it was refused."""
    try:
        answer, _ = read(data, kind, MOST)
    except Refused as refused:
        return str(refused)
    return answer["width"], answer["height"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_what_is_cut_anywhere_is_refused_or_read(kind: str) -> None:
    data = picture(64, 64, kind=kind)
    lengths = range(12, len(data), max(1, len(data) // 40))
    outcomes = {outcome(data[:length], kind) for length in lengths}
    assert outcomes - {(64, 64)} == {"broken"}


def test_the_colour_of_most_of_it() -> None:
    image = Image.new("RGB", (90, 90), pictures.GREEN)
    image.paste(pictures.RED, (0, 0, 90, 40))
    assert dominant_color(image) == "#1eb43c"


@pytest.mark.parametrize(
    "deed",
    ["bytearray(picturereader.MEMORY)", "open({path!r}, 'w').write('x' * 9999)"],
)
def test_the_reader_can_take_no_memory_and_write_no_file(deed: str, tmp_path: Path) -> None:
    deed = deed.format(path=str(tmp_path / "written"))
    code = f"from jobboard.infra import picturereader; picturereader.confine(); {deed}"
    command = [sys.executable, "-I", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, env={})  # as we start it
    assert run.returncode != 0
    assert run.stderr == "" or "MemoryError" in run.stderr or "File too large" in run.stderr


@pytest.mark.anyio
async def test_a_reader_that_dies_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "READER", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(TooLarge, match="too much work"):
        await Pictures().read(picture())


@pytest.mark.anyio
async def test_a_reader_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = (sys.executable, "-c", "import sys, time; sys.stdin.read(); time.sleep(600)")
    monkeypatch.setattr(parent, "READER", hang)
    monkeypatch.setattr(parent, "PATIENCE", 0.5)
    with pytest.raises(Unavailable):
        await Pictures().read(picture())


def test_a_picture_for_which_there_is_no_memory_is_too_much_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(picturereader, "_look", much)
    with pytest.raises(Refused, match="work"):
        read(picture(), "PNG", MOST)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"no TIFF at all", b"MM\0*", b"II+\0\x08\0\0\0"])
def test_exif_that_cannot_be_read_is_thrown_away(kind: str, exif: bytes) -> None:
    answer, (full, *_) = read(picture(kind=kind, exif=b"Exif\0\0" + exif), kind, MOST)
    assert answer["removed"] == ["exif"]
    assert exif not in full


def test_damaged_exif_and_what_an_editor_left_are_thrown_away() -> None:
    left = b"\xff\xed" + (2 + 14 + 4).to_bytes(2) + b"Photoshop 3.0\x008BIM"
    data = picture(kind="JPEG", exif=b"Exif\0\0no TIFF at all")
    answer, files = read(data[:2] + left + data[2:], "JPEG", MOST)
    assert {"exif", "iptc"} <= set(answer["removed"])
    assert b"Photoshop" not in files[0]
