"""A file that has its name only when it is whole, and that nobody else writes or may read."""

import errno
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobboard.errors import Conflict

UNFINISHED = ".part"  # behind the name of a file that is being written
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}  # of such a file system


@contextmanager
def appearing(path: Path) -> Generator[BinaryIO]:
    """A file for us alone that gets its name when the block ended well, and is gone otherwise.

    Raises Conflict where there is such a file, or another process writes it.
    """
    if os.path.lexists(path):
        raise _taken(path)
    unfinished = path.with_name(path.name + UNFINISHED)
    _clear(unfinished)
    with open(unfinished, "xb", opener=_private) as file:
        _lock(file.fileno(), unfinished)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _name(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _clear(unfinished: Path) -> None:
    """Take away what a killed process left; never a link, or what is being written."""
    try:
        left = os.open(unfinished, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Conflict(f"{unfinished} is in the way ({error.strerror}): remove it.") from None
    try:
        _lock(left, unfinished)
        unfinished.unlink()
    finally:
        os.close(left)


def _lock(file: int, path: Path) -> None:
    """Until it is closed. What has lost its name while we waited is another process's."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.fstat(file).st_nlink > 0
    except BlockingIOError:
        ours = False
    if not ours:
        raise Conflict(f"{path} is being written by another backup: choose another name.")


def _name(unfinished: Path, path: Path) -> None:
    """A link, unlike a new name, replaces nothing."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if os.path.lexists(path):
            raise _taken(path) from None
        unfinished.rename(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _taken(path: Path) -> Conflict:
    return Conflict(f"{path} is there already: choose another name.")
