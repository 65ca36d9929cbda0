"""Files go in whole, come out in pieces, and stay in their folder."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobboard.infra.storage import CHUNK, Storage
from tests.bucket import BUCKET, asking, bucket

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "not yet made" / "up loads"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return Storage(folder.as_uri())


async def pieces(*each: bytes) -> AsyncIterator[bytes]:
    for piece in each:
        yield piece


async def content(storage: Storage, key: str) -> list[bytes]:
    return [piece async for piece in await storage.open(key)]


@pytest.mark.parametrize("size", [0, 1, CHUNK * 3 + 1])
async def test_what_goes_in_comes_out(storage: Storage, folder: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    await storage.put("resumes/abc", data[:size])
    assert b"".join(await content(storage, "resumes/abc")) == data[:size]
    assert (folder / "resumes" / "abc").stat().st_size == size


async def test_a_second_put_replaces_the_first(storage: Storage) -> None:
    await storage.put("key", b"one")
    await storage.put("key", b"two")
    assert await content(storage, "key") == [b"two"]


async def test_deleting_is_final_and_may_be_repeated(storage: Storage) -> None:
    await storage.put("key", b"one")
    await storage.delete("key")
    await storage.delete("key")
    with pytest.raises(FileNotFoundError):
        await content(storage, "key")


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd"])
async def test_no_key_leaves_the_folder(storage: Storage, folder: Path, key: str) -> None:
    with suppress(ValueError):
        await storage.put(key, b"x")
    outside = [path for path in folder.parent.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(folder) for path in outside)


async def test_a_bucket_keeps_files_as_a_folder_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket() as (address, objects):
        for name, value in asking(address).items():
            monkeypatch.setenv(name, value)
        storage = Storage(f"s3://{BUCKET}/prefix")
        data = bytes(range(256)) * (CHUNK // 64)
        await storage.put("resumes/abc", data)
        await storage.put("images/def", pieces(b"one", b"two"))
        assert {key: body for key, (body, _) in objects.items()} == {
            "prefix/resumes/abc": data,
            "prefix/images/def": b"onetwo",
        }
        assert b"".join(await content(storage, "resumes/abc")) == data
        objects["prefix/resumes/abc"] = (data, datetime.now(UTC) - timedelta(hours=2))
        found = [keys async for keys in storage.keys(datetime.now(UTC) - timedelta(hours=1))]
        assert found == [["resumes/abc"]]
        await storage.delete("resumes/abc")
        await storage.delete("resumes/abc")
        with pytest.raises(FileNotFoundError):
            await content(storage, "resumes/abc")
