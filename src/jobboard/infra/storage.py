"""Where uploads lie: a folder (`file:///path`) or a bucket (`s3://bucket/prefix`), through obstore.

Credentials and region of a bucket come from the usual AWS_* variables. Keys are ours, random,
and never a name that a person chose.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime

from obstore.store import LocalStore, from_url

CHUNK = 256 * 1024
BATCH = 500


class Storage:
    """One folder or bucket."""

    def __init__(self, url: str) -> None:
        is_folder = url.startswith("file://")
        self._store = LocalStore.from_url(url, mkdir=True) if is_folder else from_url(url)

    async def put(self, key: str, data: bytes | AsyncIterator[bytes]) -> None:
        """Keep `data`, or what its pieces make, under `key`: whole or not at all."""
        await self._store.put_async(key, data)

    async def open(self, key: str) -> AsyncGenerator[bytes]:
        """The content in pieces. Raises FileNotFoundError at once, not at the first piece."""
        result = await self._store.get_async(key)
        return (bytes(chunk) async for chunk in result.stream(min_chunk_size=CHUNK))

    async def delete(self, key: str) -> None:
        """Forget `key`; one that is not there is no error."""
        try:
            await self._store.delete_async(key)
        except FileNotFoundError:
            return

    async def keys(self, before: datetime | None = None) -> AsyncGenerator[list[str]]:
        """The keys of all files, or of those last written `before` a moment, some at a time."""
        async for batch in self._store.list(chunk_size=BATCH):
            yield [
                meta["path"] for meta in batch if before is None or meta["last_modified"] < before
            ]
