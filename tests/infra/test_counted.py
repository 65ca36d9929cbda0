"""What ended processes counted stays, and their files do not."""

import fcntl
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from jobboard.infra import counted

CONFIGURATION = Path(__file__).parents[2] / "deploy/gunicorn.conf.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes count."""
    monkeypatch.setenv(counted.FOLDER, str(tmp_path))
    return tmp_path


def count(folder: Path, pid: int, **routes: float) -> None:
    """A process that counted so much and ended."""
    for kind, name in (("counter", "seen_total"), ("histogram", "took_sum")):
        numbers = MmapedDict(str(folder / f"{kind}_{pid}.db"))
        for route, value in routes.items():
            key = mmap_key(name.rpartition("_")[0], name, ["route"], [route], "Some.")
            numbers.write_value(key, value, 0.0)
        numbers.close()
    (folder / f"gauge_livesum_{pid}.db").touch()


def said(folder: Path) -> set[str]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    lines = generate_latest(registry).decode().splitlines()
    return {line for line in lines if not line.startswith("#")}


def test_fifty_that_ended_leave_one_file_of_each_kind(folder: Path) -> None:
    many = {f"route{number}": 1.0 for number in range(2_000)}  # more than a file has room for
    for pid in range(1, 51):
        count(folder, pid, **{"jobs": 2.0, "tasks": 1.0} | (many if pid == 7 else {}))
        counted.keep(pid)
    count(folder, 99, jobs=5.0)
    (folder / "gauge_livesum_99.db").unlink()
    assert {'seen_total{route="jobs"} 105.0', 'seen_total{route="tasks"} 50.0'} <= said(folder)
    assert {path.name for path in folder.glob("*.db")} == {
        "counter_0.db", "counter_99.db", "histogram_0.db", "histogram_99.db",
    }  # fmt: skip
    counted.keep(12345)  # one that counted nothing


def test_nothing_is_moved_while_somebody_reads(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "PATIENCE", 0.05)
    count(folder, 7, jobs=1.0)
    with counted.reading():
        counted.keep(7)
    assert (folder / "counter_7.db").exists()
    assert 'seen_total{route="jobs"} 1.0' in said(folder)
    with (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # and it is free again
    counted.keep(7)
    assert not (folder / "counter_7.db").exists()


def test_files_that_were_cut_off_do_not_end_gunicorn(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    said_so: list[int] = []
    log = SimpleNamespace(warning=lambda _text, pid, _error: said_so.append(pid))
    ended = runpy.run_path(str(CONFIGURATION))["child_exit"]
    (folder / "counter_7.db").touch()  # killed as it made the file
    count(folder, 8, jobs=1.0, tasks=1.0)
    path = folder / "counter_8.db"
    whole = path.read_bytes()
    second = whole.index(b"[", whole.index(b"[") + 1) - 4  # where the length of a key stands
    path.write_bytes(whole[:second] + b"\xff\xff\xff\x7f" + whole[second + 4 :])
    for pid in (7, 8):
        ended(SimpleNamespace(log=log), SimpleNamespace(pid=pid))
    assert said_so == [8]
    assert [path.name for path in folder.glob("counter_*.db")] == ["counter_8.db"]
