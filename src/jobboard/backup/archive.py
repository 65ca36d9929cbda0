"""The file of a backup: a gzipped tar, written and read from its beginning to its end.

    jobboard.json               what it is and what it holds (service.Head)
    postgres/jobs.000000 ...    rows, as PostgreSQL's COPY writes them
    mongo/hits.000000 ...       documents, as BSON
    files/ab/cd.pdf.000000 ...  files, by their key in storage
    end.json                    counts, and the SHA-256 of all before it

Each thing stands in parts of some megabytes, so that neither side needs the memory for a whole one
or knows its length beforehand. A file that was not written to its end has no end.json.
"""

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO, Self

from jobboard.errors import Conflict, Invalid

PART = 4 * 1024 * 1024  # bytes; a part is written as soon as there are as many
LARGEST = 64 * 1024 * 1024  # bytes of a part that is read: one COPY message or document beyond PART
LEVEL = 4  # of gzip: 9 takes four times as long for a twentieth less
LONGEST_END = 1024 * 1024  # bytes; it names tables and collections
END = "end.json"
Parts = Iterator[bytes]


class Broken(Invalid):
    """The file is none of ours, or not as it was written."""

    code = "backup_broken"


class Member(tarfile.TarInfo):
    """One of the kind that we write. Others (long names, pax, sparse) are read into memory whole,
    whatever their size, before anybody can look at them."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """What tarfile calls, for subclasses to override, once it knows a header and before it
        reads more. Patched releases of Python (3.13.5 of Debian) go by `frombuf` no longer."""
        most = LONGEST_END if self.name == END else LARGEST
        if self.type != tarfile.REGTYPE or not 0 <= self.size <= most:
            raise _broken(f"{self.name[:100]} is none of its parts")
        return super()._proc_member(archive)  # ty: ignore[missing-attribute] - not in its stubs


class Digest:
    """SHA-256 of names, lengths and contents, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, name: str, data: bytes) -> None:
        """The next part."""
        self._hash.update(f"{len(name)}:{name}:{len(data)}:".encode())
        self._hash.update(data)

    def words(self) -> str:
        """What stands in end.json."""
        return self._hash.hexdigest()


class Writer:
    """Writes into `file`, which stays open. Without `end` it does not count.

    with Writer(file) as writer: ...
    """

    def __init__(self, file: BinaryIO) -> None:
        self._gzip = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0)
        self._tar = tarfile.open(  # noqa: SIM115 - closed at the end of our own block
            fileobj=self._gzip, mode="w|", format=tarfile.USTAR_FORMAT, encoding="utf-8"
        )
        self._digest = Digest()

    def add(self, name: str, data: bytes) -> None:
        """A whole member."""
        self._digest.add(name, data)
        self._write(name, data)

    def _write(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        try:
            self._tar.addfile(member, io.BytesIO(data))
        except ValueError:  # one that needs a header of a kind that is not read
            raise Conflict(
                f"{name} has too long a name to be ours: take it out of the storage."
            ) from None
        _forget(self._tar)

    def thing(self, name: str) -> "Thing":
        """Something that is written piece by piece."""
        return Thing(self, name)

    def end(self, counts: dict[str, Any]) -> None:
        """All is written: say so."""
        self._write(END, _json({**counts, "sha256": self._digest.words()}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        # Where the disk is full this would fail as well, and hide why.
        with suppress(OSError) if kind else nullcontext():
            self._tar.close()
            self._gzip.close()


class Thing:
    """Gathers pieces to parts; the last one is written at the end of the block.

    with writer.thing("files/key") as thing:
        thing.write(b"...")
    """

    def __init__(self, writer: Writer, name: str) -> None:
        self._writer, self._name = writer, name
        self._gathered = bytearray()
        self._number = 0
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Some more."""
        self._gathered += piece
        self.size += len(piece)
        if len(self._gathered) >= PART:
            self._flush()

    def _flush(self) -> None:
        self._writer.add(f"{self._name}.{self._number:06}", bytes(self._gathered))
        self._gathered.clear()
        self._number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and (self._gathered or not self._number):
            self._flush()


def things(file: BinaryIO) -> Iterator[tuple[str, Parts]]:
    """Each thing of a backup with its parts, the head as the first, with its one.

    Raises Broken as soon as something is wrong, at the latest after the last part.
    """
    for name, members in groupby(_members(file), key=lambda member: _thing(member[0])):
        yield name, map(itemgetter(1), members)


def check(file: BinaryIO) -> dict[str, Any]:
    """Read all of it; what end.json says. Raises Broken."""
    end: dict[str, Any] = {}
    for _ in _members(file, end):
        pass
    return end


def _thing(member: str) -> str:
    name, _, number = member.rpartition(".")
    return name if number.isdecimal() else member


def _members(file: BinaryIO, end: dict[str, Any] | None = None) -> Iterator[tuple[str, bytes]]:
    """All but the end, which is compared with what came before it and written into `end`."""
    digest, said = Digest(), None
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            with tarfile.open(fileobj=unpacked, mode="r|", tarinfo=Member, encoding="utf-8") as tar:
                for name, data in _contents(tar):
                    if name == END:
                        said = json.loads(data)
                        continue
                    digest.add(name, data)
                    yield name, data
            while unpacked.read(PART):  # to the checksum of gzip itself
                pass
    except (
        tarfile.TarError,
        EOFError,
        zlib.error,
        gzip.BadGzipFile,
        ValueError,
        RecursionError,
    ) as error:
        raise _broken(error) from None
    if said is None:
        raise _broken("it has no end")
    if not isinstance(said, dict) or said.get("sha256") != digest.words():
        raise _broken("its SHA-256 is another")
    if end is not None:
        end.update(said)


def _contents(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        content = tar.extractfile(member)
        assert content is not None  # as `Member` takes no other kind
        yield member.name, content.read()
        _forget(tar)


def _forget(tar: tarfile.TarFile) -> None:
    """It would remember each member for good."""
    tar.members.clear()  # ty: ignore[missing-attribute] - not in its stubs


def _broken(why: object) -> Broken:
    return Broken(
        f"The backup is damaged, or was not written to its end ({why}). Nothing was changed; take "
        "another one."
    )


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()
