"""Documents out of MongoDB, as the bytes that they are, and back."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from jobboard.analytics.collections import IN_ORDER
from jobboard.backup.archive import Broken, Parts, Writer
from jobboard.errors import Unavailable
from jobboard.infra.mongo import DEFAULT_DATABASE

FOLDER = "mongo"
LOOK_MS = 5_000
LENGTH = 4  # bytes that begin a document, and say how long it is
Raw = Database[RawBSONDocument]


@contextmanager
def opened(url: str) -> Generator[Raw | None]:
    """The database that `url` names; None where none is named. Raises Unavailable."""
    if not url:
        yield None
        return
    client: MongoClient[RawBSONDocument] = MongoClient(
        url, document_class=RawBSONDocument, serverSelectionTimeoutMS=LOOK_MS, appname="jobboard"
    )
    try:
        with client:
            yield client.get_default_database(
                DEFAULT_DATABASE, codec_options=CodecOptions(RawBSONDocument)
            )
    except PyMongoError as error:
        why = str(error).partition("\n")[0].partition(",")[0]
        raise Unavailable(f"MongoDB (JOBBOARD_MONGO_URL) does not do it: {why}") from None


def dump(database: Raw | None, writer: Writer) -> dict[str, int]:
    """Every document of ours; how many each collection has."""
    counts: dict[str, int] = {}
    if database is None:
        return counts
    for name in IN_ORDER:
        counts[name] = 0
        with writer.thing(f"{FOLDER}/{name}") as thing:
            for document in database[name].find():
                thing.write(bytes(document.raw))
                counts[name] += 1
    return counts


def filled(database: Raw | None) -> list[str]:
    """The collections with documents in them."""
    if database is None:
        return []
    return [name for name in IN_ORDER if database[name].find_one() is not None]


def clear(database: Raw | None) -> None:
    """Let nothing of ours be there."""
    if database is not None:
        for name in IN_ORDER:
            database[name].drop()


def load(database: Raw, name: str, parts: Parts) -> int:
    """The documents of one collection; how many."""
    if name not in IN_ORDER:
        raise Broken(f"This version keeps nothing called {name} in MongoDB.")
    count = 0
    for part in parts:
        documents = list(_documents(part))
        if documents:
            database[name].insert_many(documents, ordered=False)
        count += len(documents)
    return count


def _documents(part: bytes) -> Iterator[Any]:
    """A part holds whole documents, one after the other."""
    start = 0
    try:
        while start < len(part):
            end = start + max(int.from_bytes(part[start : start + LENGTH], "little"), LENGTH)
            yield RawBSONDocument(part[start:end])
            start = end
    except InvalidBSON as error:
        raise Broken(f"The backup holds what is no document ({error}).") from None
