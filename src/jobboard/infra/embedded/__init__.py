"""The engines that `make up` starts: PostgreSQL, Redis and a MongoDB-protocol server.

Each is a process of its own on a loopback port with a generated password, its data in DATA_DIR.

    with engines(Path("/var/lib/jobboard")) as urls:
        ...  # urls.database_url, urls.redis_url, urls.mongo_url ("" where it is not installed)
"""

import asyncio
import shutil
import tempfile
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobboard.infra.embedded.crew import ALL, Crew, choose
from jobboard.infra.embedded.datadir import DataDir, InUse
from jobboard.infra.embedded.errors import BoardError
from jobboard.infra.embedded.process import end_left_overs

__all__ = ["ALL", "BoardError", "DataDir", "InUse", "Urls", "engines", "temporary"]


@dataclass(frozen=True)
class Urls:
    """Where the started engines are, named as the settings. Empty: not started."""

    database_url: str = ""
    redis_url: str = ""
    mongo_url: str = ""


@contextmanager
def engines(
    data_dir: Path,
    *,
    volatile: bool = False,
    needed: Collection[str] = ALL,
    wait: float = 0,
) -> Generator[Urls]:
    """Start the `needed` engines of a folder, side by side, and stop them at the end.

    `volatile` trades safety on disk for speed and lets the role make databases: for tests.
    Raises BoardError; InUse when another process still holds the folder after `wait` seconds.
    """
    folder = DataDir(data_dir)
    with folder.locked("command", wait=wait), asyncio.Runner() as runner:
        crew = Crew(folder)
        chosen = choose(folder, needed, volatile=volatile)

        async def start() -> None:
            await end_left_overs(folder)
            async with crew.starting(chosen):
                pass

        try:
            runner.run(start())
            yield Urls(**{engine.setting: engine.url for engine in chosen})
        finally:
            runner.run(crew.stop())


@contextmanager
def temporary(*, needed: Collection[str] = ALL, volatile: bool = True) -> Generator[Urls]:
    """Engines in a folder that goes away with them; not `volatile`: they wait for the disk."""
    folder = Path(tempfile.mkdtemp(prefix="jobboard-"))
    try:
        with engines(folder, volatile=volatile, needed=needed) as urls:
            yield urls
    finally:
        shutil.rmtree(folder, ignore_errors=True)
