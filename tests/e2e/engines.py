"""Engines of a test's own: to stop, to kill and to freeze."""

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import asyncpg

from jobboard.infra.embedded import DataDir
from jobboard.infra.embedded.crew import Crew, Engine
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.embedded.process import Child

Kind = TypeVar("Kind", bound="Server")
TELLING = "ALTER ROLE jobboard SET log_statement = 'all'"  # so that `searches` can be counted


class Server:
    """An engine that runs while it has a child."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._crew = Crew(engine.folder)
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """As the setting wants it."""
        return self.engine.url

    async def start(self) -> None:
        """Return when it answers. The second time it listens where it did the first."""
        async with self._crew.starting([self.engine]):
            pass
        [self.child] = self._crew.children.values()

    async def stop(self) -> None:
        """Return when it is gone, which it may be already."""
        if self.child is not None:
            await self.child.stop()
            self.child = None

    async def kill(self) -> None:
        """As a power cut would."""
        assert self.child is not None
        self.send(signal.SIGKILL)
        await self.child.process.wait()
        self.child = None

    def send(self, number: int) -> None:
        """A signal to each of its processes: they all work in its folder."""
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):  # it has ended
                if link.readlink() == self.engine.data:
                    os.kill(int(link.parent.name), number)


class PostgresServer(Server):
    """One that one may ask as its superuser, and copy."""

    @property
    def admin_url(self) -> str:
        """For the superuser."""
        folder = self.engine.folder
        password = folder.secret("postgres_admin_password")
        return f"postgresql://postgres:{password}@127.0.0.1:{self.engine.port}/jobboard"

    async def ask(self, statement: str) -> Any:
        """One value."""
        connection = await asyncpg.connect(self.admin_url, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def searches(self) -> int:
        """Grows with each search that is asked here, by the word of its own log (TELLING)."""
        log = (self.engine.folder.logs / "postgres.log").read_text()
        return log.count("live_jobs") + log.count("FROM terms")

    def copy_to(self, other: "PostgresServer") -> None:
        """Make `other`, which has no data yet, a streaming replica of this one."""
        assert isinstance(self.engine, Postgres)
        assert isinstance(other.engine, Postgres)
        command = [
            str(self.engine._server() / "bin/pg_basebackup"),
            f"--dbname={self.admin_url}",
            f"--pgdata={other.engine.data}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ]
        subprocess.run(command, check=True, cwd="/", env={"LC_ALL": "C"})
        if (account := other.engine.account) is not None:
            for path in [other.engine.data, *other.engine.data.rglob("*")]:
                os.chown(path, account.pw_uid, account.pw_gid)


@asynccontextmanager
async def engine_server(
    of: type[Engine], kind: type[Kind], *, like: Server | None = None
) -> AsyncGenerator[Kind]:
    """One that is not started yet, with the passwords of another where it shall follow that."""
    root = Path(mkdtemp(prefix="jobboard-"))
    try:
        if like is not None:
            shutil.copy(like.engine.folder.root / "secrets.json", root)
        folder = DataDir(root)
        with folder.locked("command"):
            server = kind(of(folder, volatile=False))
            try:
                yield server
            finally:
                server.send(signal.SIGCONT)  # what is frozen does not end
                await server.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
