"""What requests notice of a MongoDB that is gone: nothing, is promised.

OUTAGE=600 python -m benchmarks hits_gone

Two web processes, each with a MongoDB of its own, are asked at the same moments, so that what
befalls the machine befalls both. First both servers are there; then that of the second goes, for
OUTAGE seconds (a minute, unless told), and comes back. Promised are no failed request, a p99 at
most 5 ms longer, and that everything which waited is stored within 60 s.
"""

import asyncio
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import httpx2

from benchmarks.board import board, filled
from benchmarks.output import until_no_one_reads
from jobboard.cli.processes import web_command
from jobboard.infra.embedded import DataDir
from jobboard.infra.embedded.mongo import Mongo
from jobboard.infra.embedded.process import Child
from jobboard.settings import Settings

PATH = "/api/v1/jobs?limit=5"
OUTAGE = float(os.environ.get("OUTAGE", "60"))  # seconds
EACH = 25  # requests a second to each process
AT_ONCE = 4  # requests to a process
PATIENCE = 120  # seconds for everything to be stored


class Engine:
    """A MongoDB server that one can stop, and start again on the same port."""

    def __init__(self, folder: DataDir) -> None:
        self.folder = folder
        self.mongo = Mongo(folder, volatile=False)
        self.child: Child | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        await self.mongo.prepare()
        self.child = await Child.spawn(self.mongo.program(), self.folder)
        await self.child.ready()

    async def stop(self) -> None:
        """Stop it."""
        if self.child is not None:
            await self.child.stop()
            self.child = None


@dataclass(frozen=True, slots=True)
class Side:
    """A web process and its MongoDB."""

    client: httpx2.AsyncClient
    engine: Engine

    async def counters(self) -> dict[str, int]:
        """What became of the hits, by the word of /metrics."""
        text = (await self.client.get("/metrics")).text
        found = re.findall(r"^jobboard_hits_(\w+?)(?:_total)? ([\d.e+]+)$", text, re.MULTILINE)
        return {name: int(float(value)) for name, value in found}


@asynccontextmanager
async def side(settings: Settings, folder: Path) -> AsyncGenerator[Side]:
    """Started, and answering."""
    data = DataDir(folder)
    with data.locked("command"), socket.socket() as listening:
        engine = Engine(data)
        await engine.start()
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        base = "http://{}:{}".format(*listening.getsockname())
        env = {
            f"JOBBOARD_{name.upper()}": getattr(settings, name).get_secret_value()
            for name in ("secret_key", "database_url", "redis_url")
        } | {
            "JOBBOARD_MONGO_URL": engine.mongo.url,
            "JOBBOARD_STORAGE_URL": settings.storage_url,
            "JOBBOARD_RATE_LIMITS": "off",
            "PATH": os.environ["PATH"],
        }
        fd = listening.fileno()
        process = await asyncio.create_subprocess_exec(
            *web_command("--fd", str(fd)), env=env, pass_fds=[fd], stderr=subprocess.DEVNULL
        )
        try:
            async with httpx2.AsyncClient(base_url=base, timeout=60) as client:
                assert (await client.get("/readyz")).status_code == 200
                yield Side(client, engine)
        finally:
            process.terminate()
            await process.wait()
            await engine.stop()


@dataclass(slots=True)
class Asked:
    """What one side answered: how many ms each good answer took."""

    times: list[float] = field(default_factory=list)
    failed: int = 0
    under_way: int = 0

    def within(self, share: float) -> float:
        """Of these times so large a share was shorter."""
        return sorted(self.times)[int(len(self.times) * share)]


async def visit(sides: list[Side], seconds: float) -> list[Asked]:
    """Ask one after the other at an even pace. Who has not answered AT_ONCE requests is not asked
    for more: on a busy machine they would only wait for each other."""
    asked = [Asked() for _ in sides]

    async def ask(side: Side, told: Asked) -> None:
        told.under_way += 1
        started = perf_counter()
        answer = await side.client.get(PATH)
        if answer.status_code == 200:
            told.times.append((perf_counter() - started) * 1000)
        else:
            told.failed += 1
        told.under_way -= 1

    async with asyncio.TaskGroup() as group:
        began = perf_counter()
        for number in range(int(seconds * EACH)):
            await asyncio.sleep(max(0, began + number / EACH - perf_counter()))
            for side, told in zip(sides, asked, strict=True):
                if told.under_way < AT_ONCE:
                    group.create_task(ask(side, told))
    return asked


def tell(words: str, there: Asked, other: Asked) -> None:
    """A line: both sides, and how much longer the second took."""
    figures = [
        f"p{share * 100:.0f} {there.within(share):6.1f} and {other.within(share):6.1f} ms"
        f" ({other.within(share) - there.within(share):+.1f})"
        for share in (0.5, 0.99)
    ]
    print(
        f"  {words:24} {len(there.times):6} and {len(other.times):6} requests, failed"
        f" {there.failed} and {other.failed}, {', '.join(figures)}"
    )


async def run(settings: Settings, folder: Path) -> None:
    """Before, without, after."""
    await filled(settings)
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(side(settings, folder / "there"))
        gone = await stack.enter_async_context(side(settings, folder / "gone"))
        both = [there, gone]
        await visit(both, 3)  # warm up
        tell("both are there", *await visit(both, max(10, OUTAGE / 5)))
        asking = asyncio.create_task(visit(both, OUTAGE))
        await asyncio.sleep(OUTAGE / 100)
        await gone.engine.stop()  # in the midst of requests
        tell(f"the second gone, {OUTAGE:.0f} s", *await asking)
        waiting = (await gone.counters())["buffered"]
        await gone.engine.start()
        returned = perf_counter()
        while (counts := await gone.counters())["buffered"]:
            assert perf_counter() - returned < PATIENCE, counts
            await asyncio.sleep(0.1)
        drained = perf_counter() - returned
    print(f"  {waiting} hits waited, all stored {drained:.1f} s after its return: {counts}")
    assert counts["received"] == counts["stored"] + counts["dropped"]


def main() -> None:
    """Start engines, measure, stop them."""
    print(f"MongoDB gone for {OUTAGE:.0f} s, {EACH} requests a second to each of two processes")
    with board() as settings, tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(settings, Path(folder)))


if __name__ == "__main__":
    until_no_one_reads(main)
