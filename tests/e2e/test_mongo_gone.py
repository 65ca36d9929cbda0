"""MongoDB goes away in the midst of requests, or can write no more, and comes back: nobody notices,
nothing is lost. GONE says for how many seconds.
"""

import asyncio
import os
import re
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter

import httpx2
import pytest
from pymongo import AsyncMongoClient

from jobboard.analytics.recorder import CAPACITY
from jobboard.cli.processes import web_command
from jobboard.infra.embedded.mongo import Mongo
from jobboard.settings import Settings
from tests.e2e.boards import free_port
from tests.e2e.engines import Server, engine_server

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

VISITORS = 3
WITH, WITHOUT = 2.0, float(os.environ.get("GONE", "4"))  # seconds with MongoDB, and without it
PATIENCE = 60.0  # promised: drained so many seconds after its return


@pytest.fixture
async def engine() -> AsyncIterator[Server]:
    """A MongoDB server, to stop and start again on the same port."""
    async with engine_server(Mongo, Server) as server:
        await server.start()
        yield server


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


async def drained(client: httpx2.AsyncClient) -> tuple[dict[str, int], float]:
    """The counters when nothing waits any more, and how many seconds that took."""
    began = perf_counter()
    while (last := await counters(client))["buffered"]:
        assert perf_counter() - began < PATIENCE
        await asyncio.sleep(0.1)
    return last, perf_counter() - began


async def kept(engine: Server) -> int:
    """How many hits MongoDB has."""
    async with AsyncMongoClient(engine.url) as mongo:
        return await mongo.get_default_database()["hits"].count_documents({})


async def test_no_request_fails_and_every_hit_is_stored(
    engine: Server, serve: Callable[[str], httpx2.AsyncClient]
) -> None:
    async with serve(engine.url) as client:
        await until_it_lives(client)
        await visit(client, 0.5)  # warm up
        before = await visit(client, WITH)
        asking = asyncio.create_task(visit(client, WITHOUT))
        await engine.stop()  # in the midst of requests
        during = await asking
        gone = await counters(client)
        page = await client.get("/readyz")
        await engine.start()
        last, seconds = await drained(client)
    sys.stdout.write(
        f"\n{len(before)} requests with MongoDB, p99 {p99(before):.1f} ms; "
        f"{len(during)} in {WITHOUT:.0f} s without, p99 {p99(during):.1f} ms; "
        f"{gone['buffered']} hits waited, drained in {seconds:.1f} s; {last}\n"
    )
    assert gone["buffered"] > 0, "it was never gone"
    assert (page.status_code, page.json()["engines"]["mongo"]) == (200, "down")
    assert last["received"] == last["stored"] + last["dropped"] + last["known"]
    assert not last["dropped"] or gone["buffered"] == CAPACITY, "there was room"
    assert await kept(engine) == last["stored"]


async def test_a_full_disk_of_mongodb_harms_no_request(
    engine: Server, serve: Callable[[str], httpx2.AsyncClient]
) -> None:
    """No file of it may grow: it refuses to write, or dies of it. Then there is room again."""
    assert engine.child is not None
    async with serve(engine.url) as client:
        await until_it_lives(client)
        await visit(client, 0.5)
        pid = engine.child.process.pid
        room = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        during = await visit(client, WITHOUT)
        full = await counters(client)
        if engine.child.process.returncode is None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, room)
        await engine.stop()
        await engine.start()
        last, seconds = await drained(client)
    sys.stdout.write(
        f"\n{len(during)} requests while its disk was full, p99 {p99(during):.1f} ms; "
        f"{full['buffered']} hits waited, drained in {seconds:.1f} s; {last}\n"
    )
    assert full["buffered"] > 0, "it was never full"
    assert last["received"] == last["stored"] + last["dropped"] + last["known"]
    assert await kept(engine) >= last["stored"]
