"""The engines of one folder, started and stopped together."""

import asyncio
from collections.abc import Collection

from jobboard.infra.embedded.datadir import DataDir
from jobboard.infra.embedded.mongo import Mongo
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.embedded.process import Child, end_left_overs
from jobboard.infra.embedded.redis import Redis

Engine = Postgres | Redis | Mongo
ALL = ("database_url", "redis_url", "mongo_url")


class Crew:
    """Those engines of a folder that are `needed`, by the setting that they fill."""

    def __init__(self, folder: DataDir, needed: Collection[str], *, volatile: bool) -> None:
        self.folder = folder
        self.needed = needed
        self.volatile = volatile
        self.engines: list[Engine] = []
        self.children: list[Child] = []

    def urls(self) -> dict[str, str]:
        """The settings that the engines fill."""
        return {engine.setting: engine.url for engine in self.engines}

    async def start(self) -> None:
        """Return when all of them answer. Raises BoardError."""
        await end_left_overs(self.folder)
        kinds = [kind for kind in (Postgres, Redis, Mongo) if kind.setting in self.needed]
        if not Mongo.installed() and Mongo in kinds:
            kinds.remove(Mongo)
        self.engines = [kind(self.folder, volatile=self.volatile) for kind in kinds]
        try:
            async with asyncio.TaskGroup() as group:
                for engine in self.engines:
                    group.create_task(self._start(engine))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _start(self, engine: Engine) -> None:
        await engine.prepare()
        child = await Child.spawn(engine.program(), self.folder)
        self.children.append(child)
        await child.ready()

    async def stop(self) -> None:
        """End them all."""
        await asyncio.gather(*(child.stop() for child in self.children))
        self.children.clear()
