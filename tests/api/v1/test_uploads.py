"""Résumés and logos: what is taken, what is refused, who may load it."""

import asyncio
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.errors import NotFound
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.uploads import service as uploads
from jobboard.uploads.models import Upload
from tests.api.v1.conftest import Cast
from tests.factories import pictures
from tests.factories.files import docx, pdf, picture, zipped
from tests.factories.people import make_user

pytestmark = pytest.mark.anyio


async def post(client: httpx2.AsyncClient, cast: Cast, name: str, data: bytes) -> httpx2.Response:
    return await client.post(
        "/api/v1/resumes", files={"file": (name, data)}, headers=cast.candidate.headers
    )


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("cv.pdf", pdf(), "application/pdf"),
        ("CV.PDF", b"\n" + pdf(), "application/pdf"),
        (
            "lebenslauf.docx",
            docx(),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ],
)
async def test_a_resume_comes_back_as_it_was(
    client: httpx2.AsyncClient, cast: Cast, name: str, data: bytes, media_type: str
) -> None:
    resume = await post(client, cast, name, data)
    assert resume.status_code == 201
    assert resume.json()["size"] == len(data)
    file = await client.get(resume.json()["url"], headers=cast.candidate.headers)
    assert file.content == data
    assert file.headers["content-type"] == media_type
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in file.headers["content-security-policy"]
    assert "no-store" in file.headers["cache-control"]


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("cv.pdf", b"", 422),
        ("cv.pdf", b"not a pdf", 415),
        ("cv.exe", pdf(), 415),
        ("cv", pdf(), 415),
        ("cv.docx", pdf(), 415),
        ("cv.docx", b"PK\x03\x04 broken", 415),
        ("cv.docx", zipped({"xl/workbook.xml": b"<workbook/>"}), 415),
        ("cv.docx", docx(extra={"word/vbaProject.bin": b"macro"}), 415),
        ("cv.docx", docx(extra={"word/media/bomb": b"\0" * 60_000_000}), 413),
        ("cv.pdf", pdf() + b" " * 5_300_000, 413),
    ],
)
async def test_what_is_no_resume_is_refused(
    client: httpx2.AsyncClient, cast: Cast, name: str, data: bytes, status: int
) -> None:
    answer = await post(client, cast, name, data)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\cv.pdf", "cv.pdf"),
        ("résumé ☃.pdf", "résumé ☃.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
async def test_a_filename_is_only_a_name(
    client: httpx2.AsyncClient, cast: Cast, raw: str, kept: str
) -> None:
    answer = await post(client, cast, raw, pdf())
    assert answer.json()["filename"] == kept


async def test_only_the_owner_loads_a_resume_that_was_sent_nowhere(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    url = (await post(client, cast, "cv.pdf", pdf())).json()["url"]
    stranger = await make_user(session, settings)
    for user in (stranger, cast.employer, cast.admin):
        assert (await client.get(url, headers=user.headers)).status_code == 404
    assert (await client.get(url)).status_code == 401


async def test_the_quota_counts_all_files_of_a_person(
    client: httpx2.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobboard.uploads.service.MEGABYTE", 10)  # so 100 MB are 1,000 bytes
    monkeypatch.setattr("jobboard.uploads.service._check_size", lambda *_: None)
    first = await post(client, cast, "cv.pdf", pdf())
    second = await post(client, cast, "cv.pdf", pdf())
    assert first.status_code == 201
    assert second.status_code == 413
    assert second.json()["code"] == "quota_exceeded"


async def test_uploads_at_once_stay_within_the_quota(
    client: httpx2.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobboard.uploads.service.MEGABYTE", len(pdf()) * 3 / 100)  # room for three
    monkeypatch.setattr("jobboard.uploads.service._check_size", lambda *_: None)
    answers = await asyncio.gather(*(post(client, cast, "cv.pdf", pdf()) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [413] * 5


@contextmanager
def a_file_in_place_of(folder: Path) -> Generator[None]:
    """In which nothing can be kept."""
    aside = folder.rename(folder.with_name("aside"))
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


async def test_a_storage_that_takes_nothing_and_files_that_it_has_lost(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    url = (await post(client, cast, "cv.pdf", pdf())).json()["url"]
    storage = Path(url2pathname(urlsplit(settings.storage_url).path))
    with a_file_in_place_of(storage):
        refused = await post(client, cast, "cv.pdf", pdf())
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    (kept,) = await session.scalars(select(Upload))
    await Storage(settings.storage_url).delete(kept.key)
    own = cast.candidate.headers
    lost = await client.get(url, headers=own)
    assert (lost.status_code, lost.json()["code"]) == (404, "file_not_found")
    archive = await client.get("/api/v1/me/export", headers=own)
    names = zipfile.ZipFile(BytesIO(archive.content)).namelist()
    assert "uploads.json" in names
    assert not [name for name in names if name.endswith(".pdf")]
    with pytest.raises(NotFound):
        await uploads.get(session, uuid4())


async def put_logo(
    client: httpx2.AsyncClient, cast: Cast, data: bytes, **changes: Any
) -> httpx2.Response:
    return await client.put(
        f"/api/v1/companies/{cast.company.id}/logo",
        files={"file": ("logo.png", data)},
        headers=changes.get("headers", cast.employer.headers),
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_logo_is_encoded_anew_and_served_to_everyone(
    client: httpx2.AsyncClient, cast: Cast, kind: str
) -> None:
    answer = await put_logo(client, cast, picture(1000, 500, kind=kind))
    assert answer.status_code == 200
    logo = await client.get(answer.json()["logo_url"])
    assert logo.status_code == 200
    assert logo.headers["content-type"] == "image/webp"
    assert logo.content[8:12] == b"WEBP"
    assert "immutable" in logo.headers["cache-control"]


async def test_a_new_logo_takes_the_place_of_the_old(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    answers = [await put_logo(client, cast, picture(side, side)) for side in (30, 40, 50)]
    new = answers[-1].json()["logo_url"]
    shown = await client.get(f"/api/v1/companies/{cast.company.id}")
    assert shown.json()["logo_url"] == new
    assert (await client.get(new)).status_code == 200
    assert list(await session.scalars(select(Upload.key))) == [new[1:].partition("-")[0]]


async def test_logos_at_once_leave_one(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    answers = await asyncio.gather(*(put_logo(client, cast, picture()) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(list(await session.scalars(select(Upload.id)))) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415),
        (picture()[:60], 422),
        (pictures.png(9000, 9000, bits=1), 413),
        (b"", 422),
    ],
)
async def test_what_is_no_logo_is_refused(
    client: httpx2.AsyncClient, cast: Cast, data: bytes, status: int
) -> None:
    assert (await put_logo(client, cast, data)).status_code == status


async def test_a_logo_is_its_owners_business(client: httpx2.AsyncClient, cast: Cast) -> None:
    for user in (cast.rival, cast.candidate):
        assert (await put_logo(client, cast, picture(), headers=user.headers)).status_code == 403
    assert (await put_logo(client, cast, picture(), headers={})).status_code == 401
