"""Makes a backup of a board, and a board of a backup."""

import asyncio
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
from pydantic import BaseModel, ValidationError

from jobboard import __version__
from jobboard.backup import archive, files, mongo, postgres
from jobboard.backup.archive import Broken, Writer
from jobboard.backup.outfile import appearing
from jobboard.clock import now
from jobboard.errors import Conflict, Invalid
from jobboard.infra import migrate, revisions
from jobboard.infra.storage import Storage
from jobboard.settings import Settings, SettingsError

HEAD = "jobboard.json"
FORMAT = 1
LONGEST_HEAD = 1024 * 1024  # bytes; it names tables and columns


class Head(BaseModel):
    """What a backup says of itself first."""

    format: int
    version: str  # of the code that made it
    revision: str  # of its schema
    made_at: datetime
    key: str  # tells whether two boards have the same secret key, and nothing else of it
    tables: dict[str, list[str]]
    sequences: dict[str, int | None]


@dataclass(slots=True)
class Counts:
    """What was copied: rows by table, documents by collection, files and their bytes."""

    rows: dict[str, int] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0

    def facts(self) -> dict[str, Any]:
        """As they stand at the end of a backup."""
        return {"rows": self.rows, "documents": self.documents, "files": self.files}


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a backup, and what somebody should know about it."""

    head: Head
    counts: Counts
    hints: list[str]


def back_up(settings: Settings, path: Path) -> Counts:
    """Write all of a board that may be running to `path`, which appears when it is whole.

    Raises Conflict where there is such a file, or something else is under way.
    """
    _require_storage(settings)
    with mongo.opened(settings.mongo_url.get_secret_value()) as database:
        return asyncio.run(_write(settings, database, path))


async def _write(settings: Settings, database: mongo.Raw | None, path: Path) -> Counts:
    """Rows first: they are of the moment at which the snapshot began. No file of theirs goes until
    all are copied; those that come meanwhile have no row, and are swept up after a restore."""
    counts = Counts()
    async with postgres.snapshot(settings.database_url.get_secret_value()) as connection:
        head = await _describe(settings, connection)
        with appearing(path) as file, Writer(file) as writer:
            writer.add(HEAD, head.model_dump_json(indent=1).encode())
            counts.rows = await postgres.dump(connection, head.tables, writer)
            counts.documents = mongo.dump(database, writer)
            counts.files, counts.bytes = await files.dump(Storage(settings.storage_url), writer)
            writer.end(counts.facts())
    return counts


async def _describe(settings: Settings, connection: asyncpg.Connection) -> Head:
    revision = await postgres.revision(connection)
    if not revision:
        raise Conflict("That database holds no board: `jobboard migrate` makes one.")
    return Head(
        format=FORMAT,
        version=__version__,
        revision=revision,
        made_at=now(),
        key=_print_of_key(settings),
        tables=await postgres.columns(connection),
        sequences=await postgres.sequences(connection),
    )


def check(path: Path) -> tuple[Head, dict[str, Any]]:
    """Read a backup from end to end; its head, and the counts at its end.

    Raises Broken, or Invalid for one of another version.
    """
    with path.open("rb") as file:
        head = _head(path, file)
        file.seek(0)
        return head, archive.check(file)


def _head(path: Path, file: BinaryIO) -> Head:
    try:
        name, parts = next(archive.things(file))
        said = next(parts) if name == HEAD else b""
        head = Head.model_validate_json(said) if len(said) <= LONGEST_HEAD else None
    except (Broken, StopIteration, ValidationError):
        head = None
    if head is None:
        raise Broken(f"{path} is no backup of a board, or damaged from its beginning on.")
    if head.format != FORMAT or head.revision not in migrate.known():
        raise Invalid(
            f"{path} was made by Jobboard {head.version}, whose tables this version "
            f"({__version__}) does not know: restore it with that version, or a newer one."
        )
    return head


def restore(settings: Settings, path: Path, *, replace: bool = False) -> Restored:
    """Make the board of a backup, which is read to its end before anything is changed.

    PostgreSQL has all of it or, if this fails, what it had; but of a backup with an older schema,
    what the tables and columns that came since held is lost first. Raises Broken and Invalid for
    the file, Conflict for a board that runs or, without `replace`, is not empty.
    """
    _require_storage(settings)
    head, end = check(path)
    url = settings.database_url.get_secret_value()
    with mongo.opened(settings.mongo_url.get_secret_value()) as database:
        there = asyncio.run(_what_is_there(settings, database))
        if there and not replace:
            raise Conflict(
                f"The board is not empty ({', '.join(there)}). Restore into an empty one, or add "
                "--replace to lose what is there."
            )
        migrate.upgrade(url)
        try:
            _go_back_to(url, head.revision)
            with path.open("rb") as file:
                counts = asyncio.run(_read(settings, head, end, database, file))
        finally:  # a board of this version works with no other schema
            migrate.upgrade(url)
    return Restored(head, counts, _hints(settings, head, counts))


async def _what_is_there(settings: Settings, database: mongo.Raw | None) -> list[str]:
    there = await postgres.filled(settings.database_url.get_secret_value())
    there += mongo.filled(database)
    if await files.any_there(Storage(settings.storage_url)):
        there.append("files")
    return there


def _go_back_to(url: str, revision: str) -> None:
    """The schema as the backup has it. What newer tables and columns held is lost with them."""
    if migrate.heads() != {revision}:
        revisions.downgrade(url, revision)


async def _read(
    settings: Settings,
    head: Head,
    end: dict[str, Any],
    database: mongo.Raw | None,
    file: BinaryIO,
) -> Counts:
    """Rows are seen when all else is there."""
    storage, counts = Storage(settings.storage_url), Counts()
    url = settings.database_url.get_secret_value()
    mongo.clear(database)
    async with postgres.loading(url, head.tables, head.sequences) as connection:
        for name, parts in archive.things(file):
            folder, _, what = name.partition("/")
            if folder == postgres.FOLDER:
                if what not in head.tables:
                    raise Broken(f"The backup holds rows of {what}, of which it does not tell.")
                names = head.tables[what]
                counts.rows[what] = await postgres.load(connection, what, names, parts)
            elif folder == mongo.FOLDER and database is not None:
                counts.documents[what] = mongo.load(database, what, parts)
            elif folder == files.FOLDER:
                counts.bytes += await files.load(storage, what, parts)
                counts.files += 1
        _require_all(counts, end)
    return counts


def _require_all(counts: Counts, end: dict[str, Any]) -> None:
    if counts.rows != end["rows"]:
        raise Broken("Not as many rows came out of the backup as went in.")


def _hints(settings: Settings, head: Head, counts: Counts) -> list[str]:
    hints = []
    if head.key != _print_of_key(settings):
        hints.append(
            "The secret key is not the one of the board that was backed up: two-step log-in must "
            "be set up anew, and links of old mails do not work. With the old JOBBOARD_SECRET_KEY "
            "both go on."
        )
    if not settings.mongo_url.get_secret_value():
        hints.append("JOBBOARD_MONGO_URL is empty: hits and events were left out.")
    if not counts.rows.get("people"):
        hints.append("Nobody has an account on it yet: `jobboard create-admin` makes one.")
    return hints


def _print_of_key(settings: Settings) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, b"jobboard backup", sha256).hexdigest()[:16]


def _require_storage(settings: Settings) -> None:
    if not settings.storage_url:
        raise SettingsError("set JOBBOARD_STORAGE_URL to where the board keeps its files")
