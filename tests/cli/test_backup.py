"""`jobboard backup` and `jobboard restore`: a board in a file, and out of it again."""

import asyncio
import errno
import fcntl
import gzip
import hashlib
import json
import os
import tarfile
import threading
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from pymongo import MongoClient
from sqlalchemy import text

from jobboard.analytics.collections import IN_ORDER
from jobboard.asgi import create_app
from jobboard.backup import archive, files, mongo, postgres, service
from jobboard.backup.outfile import appearing
from jobboard.backup.postgres import COPYING
from jobboard.cli.main import make_app, run
from jobboard.demo.people import CANDIDATE, PASSWORD
from jobboard.errors import Conflict
from jobboard.infra import revisions
from jobboard.infra.postgres import Database
from jobboard.infra.provenance import Origin, coming_from
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from tests.boards import Servers, at, new_database
from tests.e2e.boards import free_port
from tests.infra.test_migrate_filled import ask, spend_and_queue

pytestmark = pytest.mark.usefixtures("restored_logs")

KEY = "a secret of the tests, thirty-two characters and more"
BOOKS = """
SELECT (SELECT sum(balance) FROM wallets), (SELECT sum(amount) FROM entries),
       (SELECT count(*) FROM wallets w WHERE balance <> (SELECT coalesce(sum(amount), 0)
          FROM entries WHERE wallet_id = w.id)),
       (SELECT count(*) FROM transfers t WHERE 2 <> (SELECT count(*)
          FROM entries WHERE transfer_id = t.id))
"""
TRIGGERS = """
SELECT array_agg(format('%s of %s: %s', tgname, tgrelid::regclass, tgenabled)
                 ORDER BY tgrelid::regclass::text, tgname)
  FROM pg_trigger WHERE NOT tgisinternal
"""
TABLES = "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'"
Say = Callable[..., tuple[int, str]]


@dataclass(frozen=True)
class Place:
    """Where a board is."""

    database_url: str
    mongo_url: str
    folder: Path

    def environment(self) -> dict[str, str]:
        return {
            "JOBBOARD_DATABASE_URL": self.database_url,
            "JOBBOARD_MONGO_URL": self.mongo_url,
            "JOBBOARD_STORAGE_URL": self.folder.as_uri(),
            "JOBBOARD_SECRET_KEY": KEY,
        }

    def rows(self) -> dict[str, tuple[int, str]]:
        """Of each table, how many and a hash of them all."""
        every = "SELECT count(*), coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '')"
        return {
            name: ask(self.database_url, f"{every} FROM {name} t")
            for name in sorted(ask(self.database_url, TABLES))
        }

    def files(self) -> dict[str, str]:
        """Their hashes, by path."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """By collection."""
        with MongoClient(self.mongo_url) as client:
            database = client.get_default_database()
            return {name: list(database[name].find().sort("_id")) for name in IN_ORDER}


@contextmanager
def place(board: Servers, folder: Path, template: str) -> Generator[Place]:
    with new_database(board.database_url, template=template) as name:
        yield Place(
            at(board.database_url, name), at(board.mongo_url, f"test_{uuid4().hex[:12]}"), folder
        )


def commands(board: Place, *words: str, **more: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (board.environment() | more).items():
            patch.setenv(name, value)
        return run(make_app(["backup", "demo"]), words)


@pytest.fixture(scope="module")
def full(board: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A board with people, jobs, files, credits, a message and hits on it."""
    with place(board, tmp_path_factory.mktemp("full"), board.template) as full:
        assert commands(full, "demo", "--jobs", "40") == 0
        asyncio.run(spend_and_queue(full.database_url))
        ask(full.database_url, "CREATE SEQUENCE numbers")
        ask(full.database_url, "SELECT setval('numbers', 41)")
        (full.folder / "large").write_bytes(bytes(range(256)) * 4096 * 10)
        with MongoClient(full.mongo_url) as client:
            for name in IN_ORDER[:3]:
                rows = [{"_id": number, "route": "/jobs", "ms": 1.5} for number in range(500)]
                client.get_default_database()[name].insert_many(rows)
        yield full


@pytest.fixture(scope="module")
def file(full: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its backup."""
    path = tmp_path_factory.mktemp("backup") / "board.tar.gz"
    assert commands(full, "backup", str(path)) == 0
    return path


@pytest.fixture(scope="module")
def held(full: Place, file: Path) -> tuple[Any, ...]:
    """What was in the board then."""
    return full.rows(), full.documents(), full.files()


@pytest.fixture
def empty(board: Servers, tmp_path: Path) -> Iterator[Place]:
    """A board to be: an empty database, no collections, no folder."""
    with place(board, tmp_path / "files", "template1") as empty:
        ask(empty.database_url, "CREATE SEQUENCE numbers")
        yield empty


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command for a board; its exit code, and what it says on standard error."""

    def said(board: Place, *words: str, **more: str) -> tuple[int, str]:
        capsys.readouterr()
        code = commands(board, *words, **more)
        return code, capsys.readouterr().err

    return said


def test_what_was_backed_up_is_there_again(
    full: Place, file: Path, held: tuple[Any, ...], empty: Place, say: Say
) -> None:
    assert say(empty, "restore", str(file)) == (0, "")
    assert (empty.rows(), empty.documents(), empty.files()) == held
    assert revisions.catalog(empty.database_url) == revisions.catalog(full.database_url)
    assert ask(empty.database_url, TRIGGERS) == ask(full.database_url, TRIGGERS)
    assert ask(empty.database_url, BOOKS) == (0, 0, 0, 0)
    assert ask(empty.database_url, "SELECT nextval('numbers')") == 42
    asyncio.run(spend_and_queue(empty.database_url))  # the ledger goes on
    assert ask(empty.database_url, BOOKS) == (0, 0, 0, 0)
    with pytest.raises(asyncpg.PostgresError, match="never changed"):
        ask(empty.database_url, "DELETE FROM entries")
    asyncio.run(log_in(empty))


async def log_in(board: Place) -> None:
    """With the password of before."""
    settings = Settings(
        secret_key=KEY,
        database_url=board.database_url,
        redis_url=f"redis://127.0.0.1:{free_port()}",
        storage_url=board.folder.as_uri(),
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url=settings.base_url
        ) as client,
    ):
        form = {"grant_type": "password", "username": CANDIDATE, "password": PASSWORD}
        token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
        me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert me.json()["email"] == CANDIDATE


def test_a_board_that_is_not_empty_is_replaced_only_where_that_is_said(
    file: Path, held: tuple[Any, ...], empty: Place, say: Say
) -> None:
    assert say(empty, "restore", str(file))[0] == 0
    ask(empty.database_url, "DELETE FROM tasks")
    code, said = say(empty, "restore", str(file))
    assert code == 1
    assert "not empty" in said
    assert "--replace" in said
    for what in ("people", "hits", "files"):
        assert what in said
    ask(empty.database_url, "UPDATE people SET full_name = 'Somebody else'")
    assert say(empty, "restore", "--replace", str(file))[0] == 0
    assert (empty.rows(), empty.documents(), empty.files()) == held


def test_an_older_schema_is_brought_up_to_date(
    board: Servers, full: Place, empty: Place, tmp_path: Path, say: Say
) -> None:
    path = tmp_path / "old.tar.gz"
    with place(board, tmp_path / "old", board.template) as old:
        revisions.downgrade(old.database_url, "-3")
        ask(old.database_url, "CREATE SEQUENCE numbers")
        ask(old.database_url, "INSERT INTO people (email, full_name, password_hash, role) "
            "VALUES ('kim@example.com', 'Kim', '', 'candidate')")  # fmt: skip
        assert say(old, "backup", str(path)) == (0, "")
    assert say(empty, "restore", str(path))[0] == 0
    assert ask(empty.database_url, "SELECT email FROM people") == "kim@example.com"
    assert revisions.catalog(empty.database_url) == revisions.catalog(full.database_url)


def test_one_of_an_older_schema_that_fails_leaves_the_newest(
    board: Servers, full: Place, tmp_path: Path, say: Say
) -> None:
    path, spoilt = tmp_path / "old.tar.gz", tmp_path / "spoilt.tar.gz"
    with place(board, tmp_path / "old", board.template) as old:
        revisions.downgrade(old.database_url, "-3")
        assert say(old, "backup", str(path)) == (0, "")
    with path.open("rb") as whole, spoilt.open("wb") as out, archive.Writer(out) as writer:
        for name, parts in archive.things(whole):
            writer.add(name, b"no row" if name == "postgres/people" else b"".join(parts))
        writer.end({"rows": {}})
    with place(board, tmp_path / "files", board.template) as kept:
        ask(kept.database_url, "INSERT INTO people (email, full_name, password_hash, role) "
            "VALUES ('kim@example.com', 'Kim', '', 'candidate')")  # fmt: skip
        code, said = say(kept, "restore", "--replace", str(spoilt))
        assert (code, said.count("\n")) == (1, 1)
        assert "people cannot be rows of this board" in said
        assert ask(kept.database_url, "SELECT email FROM people") == "kim@example.com"
        ask(kept.database_url, "CREATE SEQUENCE numbers")
        assert revisions.catalog(kept.database_url) == revisions.catalog(full.database_url)


def test_a_board_to_which_nobody_came_is_empty(
    board: Servers, file: Path, tmp_path: Path, say: Say
) -> None:
    with place(board, tmp_path / "files", board.template) as fresh:
        ask(fresh.database_url, "CREATE SEQUENCE numbers")
        assert say(fresh, "restore", str(file)) == (0, "")


def _cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


def _turned(data: bytes, part: float) -> bytes:
    at = int(len(data) * part)
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def _without_end(data: bytes, _: float) -> bytes:
    """As if the tar were whole: only our own end is missing."""
    whole = gzip.decompress(data)
    return gzip.compress(whole[: whole.rindex(b"end.json")] + bytes(1024))


def _doctored(data: bytes, _: float) -> bytes:
    """A whole tar in a whole gzip, with something else in it."""
    return gzip.compress(gzip.decompress(data).replace(b"candidate@", b"candidata@"))


HARMS: list[tuple[Callable[[bytes, float], bytes], float]] = [
    *((_cut, part) for part in (0, 0.001, 0.3, 0.9, 0.9999)),
    *((_turned, part) for part in (0.0005, 0.4, 0.99)),
    (_without_end, 0),
    (_doctored, 0),
    (lambda *_: b"not a backup, but something else", 0),
    (lambda *_: gzip.compress(b"a page of a book" * 100), 0),
]


def test_what_is_broken_or_foreign_changes_nothing(
    file: Path, empty: Place, tmp_path: Path, say: Say
) -> None:
    broken = tmp_path / "broken.tar.gz"
    for harm, part in HARMS:
        broken.write_bytes(harm(file.read_bytes(), part))
        assert broken.read_bytes() != file.read_bytes()
        code, said = say(empty, "restore", str(broken))
        assert (code, said.count("\n")) == (1, 1), (harm, part)
        assert "damaged" in said
    assert ask(empty.database_url, TABLES) is None
    assert empty.files() == {}
    assert say(empty, "restore", "--check", str(broken)) == (code, said)
    assert say(empty, "restore", "--check", str(file)) == (0, "")


def _tar(kind: bytes, name: str, size: int, times: int = 1) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return (member.tobuf(tarfile.USTAR_FORMAT) + bytes(-(-size // 512) * 512)) * times


@pytest.mark.parametrize(
    "hostile",
    [
        _tar(tarfile.XHDTYPE, "x", 40_000_000),
        _tar(tarfile.XGLTYPE, "x", 40_000_000),
        _tar(tarfile.GNUTYPE_LONGNAME, "x", 40_000_000),
        _tar(tarfile.REGTYPE, "jobboard.json.0", 4_000_000, 10),
        _tar(tarfile.REGTYPE, "end.json", 40_000_000),
    ],
    ids=["pax", "pax for all", "a long name", "a head in parts", "a long end"],
)
def test_a_hostile_file_does_not_take_the_memory(hostile: bytes, tmp_path: Path, say: Say) -> None:
    path = tmp_path / "hostile.tar.gz"
    path.write_bytes(gzip.compress(hostile + bytes(1024), 1))
    tracemalloc.start()
    try:
        with pytest.raises(archive.Broken):
            service.check(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 20_000_000


def test_two_backups_to_one_name_do_not_meet(full: Place, tmp_path: Path, say: Say) -> None:
    path = tmp_path / "board.tar.gz"
    settings = Settings(
        secret_key=KEY, database_url=full.database_url, storage_url=full.folder.as_uri()
    )

    def back_up(_: int) -> str:
        try:
            service.back_up(settings, path)
        except Conflict as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(back_up, range(2)))
    assert said == ["", f"{path} is there already: choose another name."]
    assert list(tmp_path.iterdir()) == [path]
    assert say(full, "restore", "--check", str(path)) == (0, "")


def test_what_lies_where_a_backup_is_written_is_taken_with_care(
    full: Place, tmp_path: Path, say: Say
) -> None:
    path, part = tmp_path / "board.tar.gz", tmp_path / "board.tar.gz.part"
    part.write_text("of one that was killed")
    with part.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "being written by another backup" in say(full, "backup", str(path))[1]
        assert part.read_text() == "of one that was killed"
    part.chmod(0o644)
    assert say(full, "backup", str(path)) == (0, "")
    assert path.stat().st_mode & 0o777 == 0o600
    path.rename(tmp_path / "precious")
    part.symlink_to(tmp_path / "precious")
    before = (tmp_path / "precious").read_bytes()
    assert "is in the way" in say(full, "backup", str(path))[1]
    assert (tmp_path / "precious").read_bytes() == before
    part.unlink()
    with pytest.raises(Conflict, match="is there already"), appearing(path):
        path.write_text("somebody was quicker")
    assert path.read_text() == "somebody was quicker"


def test_a_newer_schema_is_said_with_who_knows_it(
    full: Place, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.tar.gz"
    assert commands(full, "backup", str(path)) == 0
    monkeypatch.setattr("jobboard.infra.migrate.known", lambda: {})
    code, said = say(full, "restore", "--check", str(path))
    assert code == 1
    assert "restore it with that version, or a newer one" in said


def test_one_that_fails_on_its_way_leaves_no_file(
    full: Place, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "LOOK_MS", 100)
    path = tmp_path / "board.tar.gz"
    gone = f"mongodb://127.0.0.1:{free_port()}/x"
    code, said = say(full, "backup", str(path), JOBBOARD_MONGO_URL=gone)
    assert (code, said.count("\n")) == (1, 1)
    assert "JOBBOARD_MONGO_URL" in said
    assert list(tmp_path.iterdir()) == []
    path.write_text("the last one")
    code, said = say(full, "backup", str(path))
    assert (code, said) == (1, f"jobboard: {path} is there already: choose another name.\n")
    assert path.read_text() == "the last one"


def test_nothing_is_restored_below_a_board_that_runs(
    board: Servers, file: Path, tmp_path: Path, say: Say
) -> None:
    async def running(url: str) -> None:
        database = Database(url, pool_size=1)
        await database.ping()
        await refused()
        with coming_from(Origin(request_id="3f6c")):
            async with database.transaction() as session:
                await session.execute(text("SELECT 1"))
                await refused()
        await database.close()

    async def refused() -> None:
        code, said = await asyncio.to_thread(say, running_place, "restore", str(file))
        assert code == 1
        assert "stop its web processes and workers first" in said

    with place(board, tmp_path / "files", board.template) as running_place:
        asyncio.run(running(running_place.database_url))


def test_another_key_is_told_and_its_own_is_nowhere_in_the_file(
    file: Path, empty: Place, say: Say
) -> None:
    code, said = say(empty, "restore", str(file), JOBBOARD_SECRET_KEY="another key " * 4)
    assert code == 0
    assert "two-step log-in must be set up anew" in said
    assert KEY.encode() not in gzip.decompress(file.read_bytes())


def test_money_moved_meanwhile_is_in_it_whole_or_not_at_all(
    full: Place, empty: Place, tmp_path: Path, say: Say
) -> None:
    done = threading.Event()
    moved = []

    def move() -> None:
        while not done.is_set():
            asyncio.run(spend_and_queue(full.database_url))
            moved.append(1)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        for number in range(2):
            assert say(full, "backup", str(tmp_path / f"{number}.tar.gz"))[0] == 0
    finally:
        done.set()
        thread.join()
    assert len(moved) > 1
    assert say(empty, "restore", str(tmp_path / "1.tar.gz"))[0] == 0
    assert ask(empty.database_url, BOOKS) == (0, 0, 0, 0)


def test_a_thing_is_taken_apart_and_put_together_in_parts(tmp_path: Path) -> None:
    data = bytes(range(256)) * (archive.PART // 256 + 1)
    path = tmp_path / "file"
    with path.open("wb") as out, archive.Writer(out) as writer:
        with writer.thing("files/a.1") as thing:
            thing.write(data)
            thing.write(data)
        with writer.thing("files/nothing"):
            pass
        writer.end({})
    with path.open("rb") as back:
        read = {name: list(parts) for name, parts in archive.things(back)}
    assert read == {"files/a.1": [data, data], "files/nothing": [b""]}


Things = dict[str, bytes]


def _foreign_table(things: Things) -> None:
    things["postgres/strangers"] = b""


def _foreign_collection(things: Things) -> None:
    things["mongo/strangers"] = b""


def _no_document(things: Things) -> None:
    things[f"mongo/{IN_ORDER[0]}"] = b"\x08\0\0\0 no "


def _tables_of_another_schema(things: Things) -> None:
    head = json.loads(things[service.HEAD])
    del head["tables"]["people"]
    things[service.HEAD] = json.dumps(head).encode()


def _rows_left_out(things: Things) -> None:
    things["postgres/people"] = b""


def test_a_whole_file_with_the_wrong_things_in_it_changes_no_row(
    file: Path, empty: Place, tmp_path: Path, say: Say
) -> None:
    assert say(empty, "restore", str(file))[0] == 0
    before = empty.rows()
    wrong = tmp_path / "wrong.tar.gz"
    for change, words in (
        (_foreign_table, "holds rows of strangers, of which it does not tell"),
        (_foreign_collection, "keeps nothing called strangers in MongoDB"),
        (_no_document, "holds what is no document"),
        (_tables_of_another_schema, "not those of the schema that it names"),
        (_rows_left_out, "Not as many rows came out"),
    ):
        with file.open("rb") as whole:
            things = {name: b"".join(parts) for name, parts in archive.things(whole)}
            whole.seek(0)
            end = archive.check(whole)
        change(things)
        with wrong.open("wb") as out, archive.Writer(out) as writer:
            for name, data in things.items():
                writer.add(name, data)
            writer.end({"rows": end["rows"]})
        code, said = say(empty, "restore", "--replace", str(wrong))
        assert (code, said.count("\n")) == (1, 1), said
        assert words in said
        assert empty.rows() == before


def test_a_board_without_mongodb_and_people_comes_back_with_a_word_on_both(
    board: Servers, empty: Place, tmp_path: Path, say: Say
) -> None:
    path = str(tmp_path / "board.tar.gz")
    with place(board, tmp_path / "new", board.template) as new:
        ask(new.database_url, "CREATE SEQUENCE numbers")
        assert say(new, "backup", path, JOBBOARD_MONGO_URL="") == (0, "")
    code, said = say(empty, "restore", path, JOBBOARD_MONGO_URL="")
    assert code == 0
    assert said.splitlines() == [
        "JOBBOARD_MONGO_URL is empty: hits and events were left out.",
        "Nobody has an account on it yet: `jobboard create-admin` makes one.",
    ]


def test_what_cannot_be_backed_up_now_says_what_to_do(
    full: Place, empty: Place, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "board.tar.gz")

    async def meanwhile() -> tuple[int, str]:
        other = await asyncpg.connect(full.database_url)
        await other.execute("SELECT pg_advisory_lock($1)", COPYING)
        try:
            return await asyncio.to_thread(say, full, "backup", path)
        finally:
            await other.close()

    said = [
        say(empty, "backup", path),
        say(full, "backup", path, JOBBOARD_STORAGE_URL=""),
    ]
    monkeypatch.setattr(postgres, "PATIENCE", "100ms")
    said.append(asyncio.run(meanwhile()))
    long = full.folder / ("long" * 40)
    long.touch()
    said.append(say(full, "backup", path))
    long.unlink()
    for (code, line), words in zip(
        said,
        (
            "holds no board: `jobboard migrate` makes one",
            "set JOBBOARD_STORAGE_URL",
            "try again when it is over",
            "take it out of the storage",
        ),
        strict=True,
    ):
        assert code != 0
        assert words in line
    assert list(tmp_path.iterdir()) == []


async def _with_one_gone(storage: Storage, folder: Path, path: Path) -> tuple[int, int]:
    class Slow(archive.Writer):
        """The other file is deleted while the first is written."""

        def thing(self, name: str) -> archive.Thing:
            for other in folder.iterdir():
                if not name.endswith(other.name):
                    other.unlink()
            return super().thing(name)

    with path.open("wb") as out, Slow(out) as writer:
        found = await files.dump(storage, writer)
        writer.end({})
    return found


def test_a_file_that_is_deleted_meanwhile_is_left_out(tmp_path: Path) -> None:
    folder, path = tmp_path / "files", tmp_path / "backup"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / name).write_bytes(b"123")
    assert asyncio.run(_with_one_gone(Storage(folder.as_uri()), folder, path)) == (1, 3)
    with path.open("rb") as back:
        left = [name for name, parts in archive.things(back) if b"".join(parts) == b"123"]
    assert left == [f"files/{each.name}" for each in folder.iterdir()]


def test_a_disk_without_hard_links_gets_the_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, trouble = tmp_path / "file", errno.ENOTSUP

    def hardlink_to(_self: Path, _target: Path) -> None:
        raise OSError(trouble, os.strerror(trouble))

    monkeypatch.setattr(Path, "hardlink_to", hardlink_to)
    with appearing(path) as out:
        out.write(b"whole")
    assert path.read_bytes() == b"whole"
    path.unlink()
    with pytest.raises(Conflict, match="is there already"), appearing(path):
        path.write_text("somebody was quicker")
    assert path.read_text() == "somebody was quicker"
    path.unlink()
    trouble = errno.EIO
    with pytest.raises(OSError, match=os.strerror(errno.EIO)), appearing(path) as out:
        out.write(b"whole")
    assert list(tmp_path.iterdir()) == []
