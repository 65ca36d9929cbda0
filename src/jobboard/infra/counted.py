"""What processes that have ended counted, in one file for all of them.

prometheus_client keeps a file for each process and kind of metric, and adds them up when it is
asked. Those of processes that have ended would pile up, and each question would read all of them.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
KINDS = ("counter", "histogram")  # of what we count; gauges go with their process
PAST = 0  # the number of no process
PATIENCE = 1.0  # seconds that whoever supervises processes waits for who reads


@contextmanager
def reading() -> Generator[None]:
    """Nothing is moved meanwhile: what is counted is counted once."""
    with _lock().open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def keep(pid: int) -> None:
    """Add what an ended process counted to PAST, and forget its files.

    Where somebody reads all the time they stay, and count as before.
    """
    mark_process_dead(pid)
    with _lock().open("ab") as lock:
        if _taken(lock.fileno()):
            for kind in KINDS:
                _move(_file(kind, pid), _file(kind, PAST))


def _taken(lock: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _move(source: Path, target: Path) -> None:
    if source.exists() and source.stat().st_size:  # 0: it was killed as it made the file
        found = list(MmapedDict.read_all_values_from_file(str(source)))  # all of them, or none
        past = MmapedDict(str(target))
        for key, value, at, _ in found:
            past.write_value(key, past.read_value(key)[0] + value, at)
        past.close()
    source.unlink(missing_ok=True)


def _file(kind: str, pid: int) -> Path:
    return Path(os.environ[FOLDER], f"{kind}_{pid}.db")


def _lock() -> Path:
    return Path(os.environ[FOLDER], "lock")
