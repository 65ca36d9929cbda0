"""DATA_DIR: its lock, its generated secrets, the ports it keeps, and who it started.

lock            held (flock) by whoever runs the engines of this folder
state.json      the ports, what runs now, the addresses
secrets.json    generated once; mode 0600, as every file here
postgres/ redis/ mongo/ files/ logs/ run/
"""

import errno
import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TextIO

from jobboard.infra.embedded.errors import BoardError

Holder = Literal["board", "command"]
SECRETS = (
    "secret_key",
    "postgres_admin_password",
    "postgres_password",
    "redis_password",
    "mongo_password",
)
MINIMUM_FREE = 200 * 1024 * 1024  # bytes: first start writes about 60 MB, a day of logs the rest
NOTHING_LEFT = 1024 * 1024  # bytes: a write of a page or two fails
# Below the range that Linux takes for outgoing connections, so that a kept port stays free.
PORTS = range(20_000, 32_000)
LOG_LIMIT = 10 * 1024 * 1024  # bytes after which a log starts anew


class InUse(BoardError):
    """Someone else holds the folder."""


class DataDir:
    """One board's folder. Everything in it belongs to the user who runs the board."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self.files = self.root / "files"

    def prepare(self) -> None:
        """Make the folder and check that we can work in it. Raises BoardError."""
        try:
            self._refuse_foreign()
            self._make_folders()
            free = shutil.disk_usage(self.root).free
        except OSError as error:
            raise BoardError(_folder_trouble(self.root, error)) from None
        if free < MINIMUM_FREE:
            raise BoardError(disk_full(self.root, free))

    @contextmanager
    def blaming_the_disk(self) -> Generator[None]:
        """Whatever fails in the block: where the disk is full by then, say that instead."""
        try:
            yield
        except (BoardError, OSError):
            if shutil.disk_usage(self.root).free < NOTHING_LEFT:
                raise BoardError(disk_full(self.root)) from None
            raise

    def _refuse_foreign(self) -> None:
        """Root could write here, and its files would then be in the way of the owner."""
        secrets_file = self.root / "secrets.json"
        if secrets_file.exists() and secrets_file.stat().st_uid != os.geteuid():
            owner = secrets_file.owner()
            raise BoardError(
                f"{self.root} belongs to {owner}; run this as {owner}, or set DATA_DIR"
            )

    def _make_folders(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root: its user may pass through, but not look around.
            self.root.chmod(self.root.stat().st_mode | 0o111)
        for folder in (self.logs, self.run, self.files):
            folder.mkdir(exist_ok=True, mode=0o700)

    @contextmanager
    def locked(self, holder: Holder, *, wait: float = 0) -> Generator[None]:
        """Hold the folder for ourselves, waiting at most `wait` seconds. Raises InUse."""
        self.prepare()
        with _private(self.root / "lock") as lock:
            self._take(lock.fileno(), holder, wait)
            self._make_secrets()
            self.update(holder=holder, pid=os.getpid(), settings=None)
            try:
                yield
            finally:
                with suppress(OSError):  # a disk that is full must not keep us from ending
                    self.update(holder=None, pid=None, settings=None)

    def _take(self, descriptor: int, holder: Holder, wait: float) -> None:
        deadline = time.monotonic() + wait
        while not _flock(descriptor):
            if time.monotonic() > deadline or self.running_settings():
                raise InUse(self._in_use(holder))
            time.sleep(0.05)

    def _in_use(self, holder: Holder) -> str:
        state = self.state()
        if holder == "board" and state.get("holder") == "board":
            return (
                f"{self.root} is in use by another board (process {state.get('pid')}); stop that "
                "one, or start this one with another DATA_DIR and PORT"
            )
        return (
            f"{self.root} is in use by another command (process {state.get('pid')}); "
            "try again when it is done"
        )

    def state(self) -> dict[str, Any]:
        """What is known of the board: empty when it never ran."""
        try:
            return _read_json(self.root / "state.json")
        except ValueError:  # half written when the machine stopped: nothing in it is dear
            return {}

    def running_settings(self) -> dict[str, str]:
        """What a board that is up tells to commands; empty while it starts or stops.

        Only to be believed while another process holds the lock.
        """
        state = self.state()
        return state.get("settings") or {} if state.get("holder") == "board" else {}

    def update(self, **changes: Any) -> None:
        """Keep something for the next start, and for commands that look for a running board."""
        _write_json(self.root / "state.json", {**self.state(), **changes})

    def secret(self, name: str) -> str:
        """One of SECRETS: 43 letters, digits, - and _."""
        return self._secrets()[name]

    def _secrets(self) -> dict[str, str]:
        path = self.root / "secrets.json"
        try:
            return _read_json(path)
        except ValueError:
            raise BoardError(f"{path} is damaged; restore it from a backup") from None

    def _make_secrets(self) -> None:
        known = self._secrets()
        if missing := [name for name in SECRETS if name not in known]:
            known.update((name, secrets.token_urlsafe(32)) for name in missing)
            _write_json(self.root / "secrets.json", known, sync=True)

    def port(self, name: str) -> int:
        """The port kept for an engine if it is free, else a new one."""
        ports = self.state().get("ports", {})
        if not _free(ports.get(name, 0)):
            candidates = random.sample(PORTS, 200)
            ports[name] = next(p for p in candidates if p not in ports.values() and _free(p))
            self.update(ports=ports)
        return ports[name]

    def open_log(self, name: str) -> int:
        """A descriptor that appends to logs/NAME.log; a long one is put aside first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def disk_full(path: Path, free: int | None = None) -> str:
    """The line for a disk without room."""
    left = "" if free is None else f" ({free // 2**20} MB left)"
    return (
        f"the disk that holds {path} is full{left}; free at least {MINIMUM_FREE // 2**20} MB, "
        "or set DATA_DIR to a folder on another disk"
    )


def _folder_trouble(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return disk_full(path)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"{path} is a file, or lies in one; set DATA_DIR to a folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no right to write in {path}; set DATA_DIR to a folder of your own"
    return f"cannot use {path} ({error.strerror}); set DATA_DIR to another folder"


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: Path) -> TextIO:
    """Open to write, and nobody else may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BoardError(f"cannot read {path}: {error.strerror}") from None


def _write_json(path: Path, content: dict[str, Any], *, sync: bool = False) -> None:
    """Whole or not at all: a process killed in between leaves the old file."""
    fresh = path.with_suffix(".new")
    with _private(fresh) as file:
        json.dump(content, file, indent=1)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)


def _free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
