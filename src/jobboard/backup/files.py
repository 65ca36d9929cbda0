"""Files out of storage and back, under their keys."""

from collections.abc import AsyncIterator

from jobboard.backup.archive import Parts, Writer
from jobboard.infra.storage import Storage

FOLDER = "files"


async def dump(storage: Storage, writer: Writer) -> tuple[int, int]:
    """Every file that is there; how many, and their bytes.

    One that goes meanwhile is one that no row knew: those of rows are not deleted now.
    """
    count = size = 0
    async for keys in storage.keys():
        for key in keys:
            try:
                content = await storage.open(key)
            except FileNotFoundError:
                continue
            with writer.thing(f"{FOLDER}/{key}") as thing:
                async for piece in content:
                    thing.write(piece)
            count, size = count + 1, size + thing.size
    return count, size


async def any_there(storage: Storage) -> bool:
    """Whether there is one."""
    return bool(await anext(storage.keys(), []))


async def load(storage: Storage, key: str, parts: Parts) -> int:
    """One file; its bytes."""
    size = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        for part in parts:
            size += len(part)
            yield part

    await storage.put(key, counted())
    return size
