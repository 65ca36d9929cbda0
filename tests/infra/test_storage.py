"""Files go in whole, come out in pieces, and stay in their folder."""

from contextlib import suppress
from pathlib import Path

import pytest
from obstore.store import S3Store

from jobboard.infra.storage import CHUNK, Storage

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "not yet made" / "up loads"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return Storage(folder.as_uri())


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


def test_a_bucket_is_taken_too() -> None:
    store = Storage("s3://bucket/prefix")._store
    assert isinstance(store, S3Store)
    assert (store.config["bucket"], store.prefix) == ("bucket", "prefix")
