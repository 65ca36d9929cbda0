"""MongoDB goes away in the midst of requests and comes back: nobody notices, nothing is lost."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from time import perf_counter

import httpx2
import pytest
from pymongo import AsyncMongoClient

from jobboard.cli.processes import web_command
from jobboard.infra.embedded import DataDir
from jobboard.infra.embedded.mongo import Mongo
from jobboard.infra.embedded.process import Child
from jobboard.settings import Settings
from tests.e2e.boards import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

VISITORS = 3
WITH, WITHOUT = 2.0, 4.0  # seconds of requests with MongoDB, and without it
PATIENCE = 60.0  # promised: drained so many seconds after its return


class Engine:
    """A MongoDB server of this test's own, to stop and start again on the same port."""

    def __init__(self, folder: DataDir) -> None:
        self.folder = folder
        self.mongo = Mongo(folder, volatile=False)

    async def start(self) -> Child:
        """Start it, and wait until it answers."""
        await self.mongo.prepare()
        child = await Child.spawn(self.mongo.program(), self.folder)
        await child.ready()
        return child


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """Not started yet."""
    folder = DataDir(tmp_path / "board")
    with folder.locked("command"):
        yield Engine(folder)


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[[str], httpx2.AsyncClient]]:
    """Starts a web process that logs its hits to a MongoDB; gives a client of it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(mongo_url: str) -> httpx2.AsyncClient:
        secrets = ("secret_key", "database_url", "redis_url")
        env = {
            f"JOBBOARD_{name.upper()}": getattr(settings, name).get_secret_value()
            for name in secrets
        }
        env |= {"JOBBOARD_MONGO_URL": mongo_url, "JOBBOARD_STORAGE_URL": settings.storage_url}
        env |= {"JOBBOARD_RATE_LIMITS": "off", "PATH": os.environ["PATH"]}
        port = free_port()
        command = web_command("--port", str(port))
        started.append(subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL))
        return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


async def until_it_lives(client: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await client.get("/healthz")
                return
            except httpx2.TransportError:
                await asyncio.sleep(0.05)


async def visit(client: httpx2.AsyncClient, seconds: float) -> list[float]:
    """Ask all the time, as several visitors do; how long each answer took. All must be good."""
    end = perf_counter() + seconds
    times: list[float] = []

    async def ask() -> None:
        while perf_counter() < end:
            started = perf_counter()
            answer = await client.get("/api/v1/jobs", params={"limit": 1})
            times.append(perf_counter() - started)
            assert answer.status_code == 200, answer.text

    await asyncio.gather(*(ask() for _ in range(VISITORS)))
    return times


async def counters(client: httpx2.AsyncClient) -> dict[str, int]:
    """What became of the hits, by the word of /metrics."""
    text = (await client.get("/metrics")).text
    found = re.findall(r"^jobboard_hits_(\w+?)(?:_total)? ([\d.e+]+)$", text, re.MULTILINE)
    return {name: int(float(value)) for name, value in found}


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)] * 1000


async def test_no_request_fails_and_every_hit_is_stored(
    engine: Engine, serve: Callable[[str], httpx2.AsyncClient]
) -> None:
    server = await engine.start()
    try:
        async with serve(engine.mongo.url) as client:
            await until_it_lives(client)
            await visit(client, 0.5)  # warm up
            before = await visit(client, WITH)
            asking = asyncio.create_task(visit(client, WITHOUT))
            await server.stop()  # in the midst of requests
            during = await asking
            gone = await counters(client)
            page = await client.get("/readyz")
            server = await engine.start()
            returned = perf_counter()
            while (last := await counters(client))["buffered"]:
                assert perf_counter() - returned < PATIENCE
                await asyncio.sleep(0.1)
            drained = perf_counter() - returned
        sys.stdout.write(
            f"\n{len(before)} requests with MongoDB, p99 {p99(before):.1f} ms; "
            f"{len(during)} without, p99 {p99(during):.1f} ms; "
            f"{gone['buffered']} hits waited, drained in {drained:.1f} s; {last}\n"
        )
        assert gone["buffered"] > 0, "it was never gone"
        assert (page.status_code, page.json()["engines"]["mongo"]) == (200, "down")
        assert last["received"] == last["stored"] + last["dropped"]
        assert last["dropped"] == 0
        async with AsyncMongoClient(engine.mongo.url) as mongo:
            kept = await mongo.get_default_database()["hits"].count_documents({})
        assert kept == last["stored"]
    finally:
        await server.stop()
