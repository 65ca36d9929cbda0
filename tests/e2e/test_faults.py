"""Engines that go and come back while requests arrive at an even rate, and a disk without room.

FAULTS says how often PostgreSQL is restarted, RATE how many requests a second there are.
"""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import httpx2
import pytest
from PIL import Image

from jobboard.accounts.models import Role
from jobboard.infra.embedded.postgres import Postgres
from jobboard.infra.embedded.redis import Redis
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from tests.boards import Servers
from tests.e2e.engines import PostgresServer, Server, engine_server
from tests.e2e.fronted import Gunicorn, gunicorn
from tests.e2e.load import Ask, load
from tests.factories.files import pdf
from tests.factories.people import User, make_user

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
RESTARTS = int(os.environ.get("FAULTS", "3"))
BACK = 10.0  # seconds, promised: after so many all is as before
CALM = 1.0  # seconds between two faults
ROOM = 1_000  # bytes of a file that may still be written
SILENT = 4.0  # seconds that Redis says nothing
SECRET = "a secret of the tests, thirty-two characters and more"


@dataclass
class House:
    """A board on engines of its own, behind two web processes."""

    postgres: PostgresServer
    redis: Server
    web: Gunicorn
    files: Path
    person: User
    numbers: count = field(default_factory=count)

    def asks(self) -> list[Ask]:
        """What people do: look, look at what is theirs, and write."""

        async def write(client: aiohttp.ClientSession) -> aiohttp.ClientResponse:
            title = f"No. {next(self.numbers)}"
            return await client.post(
                "/api/v1/tasks", json={"title": title}, headers=self.person.headers
            )

        return [
            lambda client: client.get("/api/v1/jobs"),
            lambda client: client.get("/api/v1/companies"),
            lambda client: client.get("/api/v1/me", headers=self.person.headers),
            write,
        ]

    async def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        async with httpx2.AsyncClient(base_url=self.web.address, timeout=30) as client:
            return (await client.get("/readyz")).json()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A file for what the web processes say, on the disk that will be full."""
    with (tmp_path_factory.mktemp("log") / "web.log").open("wb") as file:
        yield file.fileno()


@pytest.fixture(scope="module")
async def house(
    board: Servers, anyio_backend: Any, tmp_path_factory: pytest.TempPathFactory, log: int
) -> AsyncIterator[House]:
    """All runs."""
    files = tmp_path_factory.mktemp("files")
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(engine_server(Postgres, PostgresServer))
        redis = await stack.enter_async_context(engine_server(Redis, Server))
        await asyncio.gather(postgres.start(), redis.start())
        await asyncio.to_thread(upgrade, postgres.url)
        settings = {
            "JOBBOARD_DATABASE_URL": postgres.url,
            "JOBBOARD_REDIS_URL": redis.url,
            "JOBBOARD_MONGO_URL": board.mongo_url,
            "JOBBOARD_STORAGE_URL": files.as_uri(),
            "JOBBOARD_SECRET_KEY": SECRET,
            "WEB_CONCURRENCY": "2",
        }
        database = Database(postgres.url, pool_size=1)
        async with database.transaction() as session:
            known = Settings.from_environment({**settings})
            person = await make_user(session, known, Role.CANDIDATE, minutes=600)
        await database.close()
        kept = {name: text for name, text in os.environ.items() if not name.startswith("JOBBOARD_")}
        starting = gunicorn({**kept, **settings}, stderr=log)
        web = await asyncio.to_thread(starting.__enter__)
        stack.push_async_callback(asyncio.to_thread, starting.__exit__, None, None, None)
        yield House(postgres, redis, web, files, person)


async def test_postgres_is_restarted_under_load(house: House) -> None:
    """Only 503 with Retry-After meanwhile, all as before soon after, and nothing of ours ends."""
    processes = house.web.workers()
    slowest = 0.0
    async with load(house.web.address, house.asks()) as found:
        for _ in range(RESTARTS):
            await asyncio.sleep(CALM)
            await house.postgres.stop()
            await house.postgres.start()
            back = monotonic()
            while (late := found.last_failure(back)) + back > monotonic() - CALM:
                assert monotonic() - back < BACK + CALM
                await asyncio.sleep(0.05)
            slowest = max(slowest, late)
    sys.stdout.write(
        f"\n{RESTARTS} restarts of PostgreSQL: {found.figures()}; the last failure at most"
        f" {slowest:.1f} s after its return\n"
    )
    assert found.statuses().keys() <= {200, 201, 503}
    assert found.statuses()[503] > 0, "it was never gone"
    assert all(each.says_when for each in found.answers if each.status == 503)
    assert house.web.workers() == processes
    await as_it_was_answered(house, found.statuses()[201])


async def as_it_was_answered(house: House, made: int) -> None:
    """Each task that was answered is there, and none twice."""
    titles = "SELECT array_agg(title) FROM tasks"
    found = await house.postgres.ask(titles)
    assert len(set(found)) == len(found) >= made


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_redis_is_gone_and_nobody_is_refused(house: House, how: str) -> None:
    processes = house.web.workers()
    async with load(house.web.address, house.asks()) as found:
        await asyncio.sleep(CALM)
        if how == "killed":
            await house.redis.kill()
        else:
            house.redis.send(signal.SIGSTOP)
        await asyncio.sleep(SILENT)
        states = await house.ready()
        if how == "killed":
            await house.redis.start()
        else:
            house.redis.send(signal.SIGCONT)
        await asyncio.sleep(CALM)
    sys.stdout.write(f"\nRedis {how} for {SILENT:.0f} s: {found.figures()}\n")
    assert states["engines"]["redis"] == "down"
    assert found.statuses().keys() == {200, 201}
    assert (await house.ready())["status"] == "ready"
    assert house.web.workers() == processes


async def test_a_full_disk_refuses_files_and_leaves_nothing_half_written(house: House) -> None:
    """No file of the web processes may grow beyond some bytes, their log neither; then there is
    room again."""
    noise = BytesIO()
    Image.effect_noise((300, 300), 80).save(noise, "PNG")
    sent = [
        ("/api/v1/resumes", ("cv.pdf", pdf("word " * 50_000))),
        ("/api/v1/images", ("me.png", noise.getvalue())),
    ]
    uploads = "SELECT count(*) FROM uploads"
    async with httpx2.AsyncClient(
        base_url=house.web.address, headers=house.person.headers, timeout=60
    ) as client:
        rooms = {
            pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))
            for pid in house.web.workers()
        }
        for path, file in sent:
            refused = await client.post(path, files={"file": file})
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable"), path
            assert "retry-after" in refused.headers
        assert await house.postgres.ask(uploads) == 0
        assert (await client.get("/api/v1/me")).status_code == 200
        assert [path for path in house.files.rglob("*") if path.is_file()] == []
        for pid, room in rooms.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, room)
        for path, file in sent:
            assert (await client.post(path, files={"file": file})).status_code == 201, path
    assert await house.postgres.ask(uploads) == len(sent)
