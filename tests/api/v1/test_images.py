"""Pictures: what came is told, what is kept is clean, and what is no picture is refused."""

import asyncio
import hashlib
from io import BytesIO
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.pictures import Pictures
from jobboard.settings import Settings
from jobboard.uploads.models import Upload
from tests.api.v1.conftest import Cast
from tests.factories import pictures
from tests.factories.files import pdf, picture

pytestmark = pytest.mark.anyio

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'


async def send(
    client: httpx2.AsyncClient, cast: Cast, data: bytes, name: str = "picture"
) -> httpx2.Response:
    return await client.post(
        "/api/v1/images", files={"file": (name, data)}, headers=cast.candidate.headers
    )


async def taken(client: httpx2.AsyncClient, cast: Cast, data: bytes) -> dict[str, Any]:
    answer = await send(client, cast, data)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def shown(client: httpx2.AsyncClient, url: str) -> Image.Image:
    """What a browser gets to see, without an account."""
    answer = await client.get(url)
    assert answer.status_code == 200
    image = Image.open(BytesIO(answer.content))
    image.load()
    return image


def near(one: Any, other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(one[:3], other, strict=True))


async def test_the_answer_tells_what_came(client: httpx2.AsyncClient, cast: Cast) -> None:
    data = picture(1000, 500, kind="JPEG")
    image = await taken(client, cast, data)
    stored = image.pop("variants")
    assert image == {
        "id": image["id"],
        "url": stored[0]["url"],
        "format": "JPEG",
        "mode": "RGB",
        "width": 1000,
        "height": 500,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "frames": 1,
        "has_alpha": False,
        "dominant_color": image["dominant_color"],
        "exif_removed": False,
        "removed": [],
        "created_at": image["created_at"],
    }
    assert near(bytes.fromhex(image["dominant_color"][1:]), (12, 80, 120))


async def test_each_size_is_served_to_everyone_as_the_answer_says(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    image = await taken(client, cast, picture(1000, 500))
    sizes = [(one["name"], one["format"], one["width"], one["height"]) for one in image["variants"]]
    assert sizes == [
        ("full", "WEBP", 1000, 500),
        ("card", "WEBP", 640, 320),
        ("card", "AVIF", 640, 320),
        ("logo", "WEBP", 256, 128),
        ("logo", "AVIF", 256, 128),
    ]
    for one in image["variants"]:
        answer = await client.get(one["url"])
        assert answer.headers["content-type"] == f"image/{one['format'].lower()}"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "immutable" in answer.headers["cache-control"]
        assert len(answer.content) == one["bytes"]
        seen = Image.open(BytesIO(answer.content))
        assert (seen.format, seen.size) == (one["format"], (one["width"], one["height"]))
        known = {"If-None-Match": answer.headers["etag"]}
        again = await client.get(one["url"], headers=known)
        assert (again.status_code, again.content) == (304, b"")


async def test_no_size_is_larger_than_the_picture(client: httpx2.AsyncClient, cast: Cast) -> None:
    image = await taken(client, cast, picture(30, 20))
    assert {(one["width"], one["height"]) for one in image["variants"]} == {(30, 20)}
    wide = await taken(client, cast, pictures.png(5000, 2))
    assert (wide["width"], wide["height"]) == (5000, 2)
    assert (wide["variants"][0]["width"], wide["variants"][0]["height"]) == (2048, 1)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 6])
async def test_a_photo_stands_upright_and_forgets_where_it_was_taken(
    client: httpx2.AsyncClient, cast: Cast, kind: str, orientation: int
) -> None:
    data = pictures.photo(orientation, kind)
    assert b"Secret Author" in data
    image = await taken(client, cast, data)
    assert (image["format"], image["width"], image["height"]) == (kind, 60, 40)
    assert image["exif_removed"] is True
    assert image["removed"] == ["exif", "gps"]
    for one in image["variants"]:
        answer = await client.get(one["url"])
        assert b"Secret" not in answer.content
        seen = Image.open(BytesIO(answer.content))
        assert not seen.getexif()
        assert not {"exif", "xmp", "icc_profile"} & set(seen.info)
        seen = seen.convert("RGB")
        assert near(seen.getpixel((5, 5)), pictures.RED)
        assert near(seen.getpixel((55, 5)), pictures.GREEN)
        assert near(seen.getpixel((5, 35)), pictures.BLUE)


async def test_texts_and_profiles_are_gone(client: httpx2.AsyncClient, cast: Cast) -> None:
    image = await taken(client, cast, pictures.with_texts())
    assert image["removed"] == ["icc", "text", "xmp"]
    assert image["exif_removed"] is False
    for one in image["variants"]:
        assert b"secret" not in (await client.get(one["url"])).content


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
async def test_of_an_animation_the_first_frame_is_kept(
    client: httpx2.AsyncClient, cast: Cast, kind: str
) -> None:
    image = await taken(client, cast, pictures.animation(kind))
    assert (image["format"], image["frames"]) == (kind, 3)
    seen = await shown(client, image["url"])
    assert getattr(seen, "n_frames", 1) == 1
    assert near(seen.convert("RGB").getpixel((5, 5)), pictures.RED)


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
async def test_what_is_transparent_stays_so(
    client: httpx2.AsyncClient, cast: Cast, mode: str
) -> None:
    image = await taken(client, cast, pictures.see_through(mode))
    assert (image["mode"], image["has_alpha"]) == (mode, True)
    for one in image["variants"]:
        alpha = (await shown(client, one["url"])).convert("RGBA").getchannel("A")
        assert near((alpha.getpixel((35, 10)), alpha.getpixel((5, 10))), (0, 255))


async def test_nothing_but_air_has_no_colour(client: httpx2.AsyncClient, cast: Cast) -> None:
    data = pictures.saved(Image.new("RGBA", (9, 9), (255, 0, 0, 0)), "PNG")
    assert (await taken(client, cast, data))["dominant_color"] is None


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        (pictures.saved(pictures.flag().convert("CMYK"), "JPEG", quality=95), "CMYK"),
        (pictures.saved(pictures.flag().quantize(16), "GIF"), "P"),
        (pictures.saved(pictures.flag().quantize(16), "PNG"), "P"),
    ],
)
async def test_colours_survive_other_ways_to_keep_them(
    client: httpx2.AsyncClient, cast: Cast, data: bytes, mode: str
) -> None:
    image = await taken(client, cast, data)
    assert image["mode"] == mode
    seen = (await shown(client, image["url"])).convert("RGB")
    assert near(seen.getpixel((5, 5)), pictures.RED)
    assert near(seen.getpixel((5, 35)), pictures.BLUE)


@pytest.mark.parametrize(
    ("data", "mode", "grey"),
    [
        (pictures.saved(Image.new("I;16", (20, 20), 0x8080), "PNG"), "I;16", 0x80),
        (pictures.saved(Image.new("L", (20, 20), 200), "JPEG"), "L", 200),
        (pictures.saved(Image.new("1", (20, 20), 1), "PNG"), "1", 255),
        (pictures.png(20, 20, bits=16, colours=2), "RGB", 0),
    ],
)
async def test_greys_of_any_depth(
    client: httpx2.AsyncClient, cast: Cast, data: bytes, mode: str, grey: int
) -> None:
    image = await taken(client, cast, data)
    assert image["mode"] == mode
    pixel = (await shown(client, image["url"])).convert("RGB").getpixel((10, 10))
    assert near(pixel, (grey, grey, grey))


async def test_nothing_of_a_polyglot_is_kept(client: httpx2.AsyncClient, cast: Cast) -> None:
    answer = await send(client, cast, pictures.polyglot(), name="invoice.js")
    assert answer.status_code == 201
    for one in answer.json()["variants"]:
        served = await client.get(one["url"])
        assert b"alert" not in served.content
        assert b"archive" not in served.content


@pytest.mark.parametrize("name", ["a.gif", "a.exe", "../../a", "", "x" * 400 + ".png"])
async def test_the_name_does_not_count(client: httpx2.AsyncClient, cast: Cast, name: str) -> None:
    answer = await send(client, cast, picture(), name=name or " ")
    assert (answer.status_code, answer.json()["format"]) == (201, "PNG")


@pytest.mark.parametrize(
    ("data", "status", "code", "words"),
    [
        (b"", 422, "invalid", "empty"),
        (picture()[:60], 422, "picture_damaged", "cut short"),
        (picture(kind="JPEG")[:-40], 422, "picture_damaged", "cut short"),
        (picture(kind="GIF")[:20], 422, "picture_damaged", "cut short"),
        (b"\x89PNG\r\n\x1a\n", 422, "picture_damaged", "cut short"),
        (pictures.claiming(0, 5), 422, "picture_damaged", "cut short"),
        (pictures.claiming(65535, 65535), 413, "too_many_pixels", "smaller copy"),
        (pictures.png(5001, 5000, bits=1), 413, "too_many_pixels", "25 million"),
        (b"x" * (5 * 1024 * 1024 + 1), 413, "too_large", "larger than 5 MB"),
        (SVG, 415, "unsupported_media_type", "an SVG"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, 415, "unsupported_media_type", "as a JPEG"),
        (picture(kind="TIFF"), 415, "unsupported_media_type", "a TIFF. Save it as a PNG"),
        (picture(kind="BMP"), 415, "unsupported_media_type", "a Windows bitmap"),
        (picture(kind="ICO"), 415, "unsupported_media_type", "a Windows icon"),
        (b"8BPS\0\1", 415, "unsupported_media_type", "Photoshop"),
        (pdf(), 415, "unsupported_media_type", "a PDF"),
        (b"MZ\x90\0", 415, "unsupported_media_type", "PNG, JPEG, WebP, GIF or AVIF"),
    ],
)
async def test_what_is_no_picture_is_refused_with_a_way_on(
    client: httpx2.AsyncClient,
    cast: Cast,
    session: AsyncSession,
    data: bytes,
    status: int,
    code: str,
    words: str,
) -> None:
    answer = await send(client, cast, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["detail"]
    assert await session.scalar(select(Upload.id)) is None


async def test_as_many_pixels_as_are_allowed(client: httpx2.AsyncClient, cast: Cast) -> None:
    image = await taken(client, cast, pictures.png(5000, 5000, bits=1))
    assert (image["width"], image["height"], image["mode"]) == (5000, 5000, "1")


async def test_too_many_at_once_are_sent_away_and_later_taken(
    client: httpx2.AsyncClient, cast: Cast, app: FastAPI
) -> None:
    engines = app.state.engines
    small = Pictures(at_once=1, waiting=2)
    object.__setattr__(engines, "pictures", small)
    try:
        answers = await asyncio.gather(*(send(client, cast, picture()) for _ in range(6)))
        assert sorted(one.status_code for one in answers) == [201] * 3 + [503] * 3
        refused = next(one for one in answers if one.status_code == 503)
        assert refused.json()["code"] == "too_many_pictures"
        assert int(refused.headers["retry-after"]) > 0
        assert (await send(client, cast, picture())).status_code == 201
    finally:
        object.__setattr__(engines, "pictures", Pictures())


async def test_one_reads_lists_and_deletes_only_ones_own(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    images = [await taken(client, cast, picture(side, side)) for side in (10, 20, 30)]
    mine, others = cast.candidate.headers, cast.employer.headers
    path = f"/api/v1/images/{images[0]['id']}"
    assert (await client.get(path, headers=mine)).json() == images[0]
    assert (await client.get(path, headers=others)).status_code == 404
    assert (await client.delete(path, headers=others)).status_code == 404
    assert (await client.get(path)).status_code == 401
    page = (await client.get("/api/v1/images?limit=2", headers=mine)).json()
    rest = await client.get(f"/api/v1/images?cursor={page['next_cursor']}", headers=mine)
    assert [*page["items"], *rest.json()["items"]] == images[::-1]
    assert (await client.get("/api/v1/images", headers=others)).json()["items"] == []
    assert (await client.delete(path, headers=mine)).status_code == 204
    assert (await client.get(path, headers=mine)).status_code == 404
    assert (await client.delete(path, headers=mine)).status_code == 404


async def test_pictures_count_against_the_quota_until_they_are_deleted(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    image = await taken(client, cast, picture())
    most = settings.upload_quota_mb * 1024 * 1024
    await session.execute(update(Upload).values(size=most))
    await session.commit()
    full = await send(client, cast, picture())
    assert (full.status_code, full.json()["code"]) == (413, "quota_exceeded")
    assert "Delete" in full.json()["detail"]
    await client.delete(f"/api/v1/images/{image['id']}", headers=cast.candidate.headers)
    assert (await send(client, cast, picture())).status_code == 201


async def test_a_logo_is_a_picture_that_only_its_company_gives_up(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    owner = cast.employer.headers
    answer = await client.put(
        f"/api/v1/companies/{cast.company.id}/logo",
        files={"file": ("logo.png", picture(600, 300))},
        headers=owner,
    )
    [image] = (await client.get("/api/v1/images", headers=owner)).json()["items"]
    urls = [one["url"] for one in image["variants"] if one["name"] == "logo"]
    assert answer.json()["logo_url"] == urls[0]
    path = f"/api/v1/images/{image['id']}"
    assert (await client.delete(path, headers=owner)).status_code == 404
    assert (await client.get(urls[0])).status_code == 200
