"""A server of the MongoDB protocol: SecantusDB, where it is installed.

It is GPL-2.0, so nothing here imports it: it is a program that we start, like the others.
"""

import asyncio
import os
import sys
from importlib.util import find_spec

from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.process import Child, Program

USER = DATABASE = "jobboard"
USER_NOT_FOUND = 11


class Mongo:
    """The engine behind `mongo_url`."""

    setting = "mongo_url"

    def __init__(self, folder: DataDir, *, volatile: bool) -> None:
        self.folder = folder
        self.volatile = volatile
        self.data = folder.root / "mongo"
        self.port = 0  # chosen by prepare()

    @staticmethod
    def installed() -> bool:
        """Whether this machine has it. It is optional: without it, hits are not kept."""
        return find_spec("secantus") is not None

    @property
    def url(self) -> str:
        """As the setting wants it."""
        password = self.folder.secret("mongo_password")
        return (
            f"mongodb://{USER}:{password}@127.0.0.1:{self.port}/{DATABASE}"
            "?authSource=admin&directConnection=true"
        )

    async def prepare(self) -> None:
        """Make its user on the first start, which only a server without log-ins lets us do."""
        self.port = self.folder.port("mongo")
        self.data.mkdir(mode=0o700, exist_ok=True)
        # With a file of ours it looks for none in the home or working folder.
        (self.data / "secantusd.toml").touch(mode=0o600)
        made = self.data / "user-made"
        while not made.exists():
            child = await Child.spawn(self._program(), self.folder)
            try:
                await child.ready()
                await asyncio.to_thread(self._make_user)
            finally:
                ended = await child.stop()
            if ended:  # a killed server may have lost its last writes
                made.touch()

    def _make_user(self) -> None:
        # Only a first start needs the driver, and it takes a third of a second to load.
        from pymongo import MongoClient

        role = "readWriteAnyDatabase" if self.volatile else "readWrite"
        database = "admin" if self.volatile else DATABASE
        with MongoClient("127.0.0.1", self.port, directConnection=True) as client:
            # Of a first start that did not end.
            client.admin.command("dropUser", USER, allowable_errors=[USER_NOT_FOUND])
            client.admin.command(
                "createUser",
                USER,
                pwd=self.folder.secret("mongo_password"),
                roles=[{"role": role, "db": database}],
            )

    def program(self) -> Program:
        """How to run it."""
        return self._program("--auth")

    def _program(self, *options: str) -> Program:
        arguments = {
            "--config": "secantusd.toml",
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--storage-path": "data",
            "--cache-size": "64M",
            "--session-max": "200",
            "--log-level": "WARNING",
        }
        flat = [part for pair in arguments.items() for part in pair]
        return Program(
            name="The MongoDB server",
            key="mongo",
            argv=[sys.executable, "-I", "-m", "secantus", *flat, "--standalone", *options],
            cwd=self.data,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.data)},
            answers=self._answers,
            hard_of_hearing=True,
        )

    async def _answers(self) -> bool:
        """Whether it listens, which it does only after it has opened its data."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True
