"""The programs of one board, started and stopped together."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from itertools import groupby

from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.errors import BoardError
from jobboard.infra.embedded.mongo import Mongo
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.embedded.process import Child, Program
from jobboard.infra.embedded.redis import Redis

Engine = Postgres | Redis | Mongo
ALL = ("database_url", "redis_url", "mongo_url")
TRIES = 3  # a port may be taken from under us, a killed server's memory may still be in use


def choose(folder: DataDir, needed: Collection[str], *, volatile: bool = False) -> list[Engine]:
    """The engines that fill the `needed` settings. The optional one only where it is installed."""
    kinds = [kind for kind in (Postgres, Redis, Mongo) if kind.setting in needed]
    if Mongo in kinds and not Mongo.installed():
        kinds.remove(Mongo)
    return [kind(folder, volatile=volatile) for kind in kinds]


class Crew:
    """What runs now, by key."""

    def __init__(self, folder: DataDir) -> None:
        self.folder = folder
        self.children: dict[str, Child] = {}

    async def launch(self, program: Program) -> None:
        """Start a program and wait until it answers. Raises BoardError."""
        child = await Child.spawn(program, self.folder)
        self.children[program.key] = child
        await child.ready()

    @asynccontextmanager
    async def starting(
        self, engines: Sequence[Engine]
    ) -> AsyncGenerator[dict[str, asyncio.Task[None]]]:
        """Start engines side by side; at the end of the block all of them answer.

        Gives the task that starts each, for what can begin earlier. Raises BoardError.
        """
        try:
            async with asyncio.TaskGroup() as group:
                yield {engine.setting: group.create_task(self._start(engine)) for engine in engines}
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _start(self, engine: Engine) -> None:
        tries_left = TRIES
        while True:
            await engine.prepare()
            program = engine.program()
            try:
                return await self.launch(program)
            except BoardError:
                await self.children[program.key].stop()
                tries_left -= 1
                if not tries_left:
                    raise

    async def stop(self) -> None:
        """End them all: what has the highest stage first, each stage side by side."""
        children = sorted(self.children.values(), key=_stage, reverse=True)
        for _, stage in groupby(children, key=_stage):
            await asyncio.gather(*(child.stop() for child in stage))
        self.children.clear()


def _stage(child: Child) -> int:
    return child.program.stage
