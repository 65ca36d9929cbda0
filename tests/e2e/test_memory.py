"""What strangers send does not swell the web process, and leaves no file behind."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.cli.processes import web_command
from jobboard.settings import Settings
from tests.e2e.boards import free_port
from tests.factories import pictures
from tests.factories.files import picture
from tests.factories.people import User, make_user
from tests.timing import until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MEGABYTE = 1024 * 1024
AT_MOST = 64 * MEGABYTE
ENDLESS = 10 * 1024 * MEGABYTE
STARTING = 60.0


class Web:
    """A web process of its own, as a server runs it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.port = free_port()
        self.temporary = folder
        secrets = ("secret_key", "database_url", "redis_url", "mongo_url")
        env = {
            f"JOBBOARD_{name.upper()}": getattr(settings, name).get_secret_value()
            for name in secrets
        }
        env |= {"JOBBOARD_STORAGE_URL": settings.storage_url, "JOBBOARD_RATE_LIMITS": "off"}
        env |= {"TMPDIR": str(folder), "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(web_command("--port", str(self.port)), env=env)

    def status(self, name: str) -> int:
        """A line of /proc/PID/status, in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024

    @contextmanager
    def watched(self) -> Generator[None]:
        """Fail if the process grew by more than AT_MOST meanwhile, at its highest."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")  # forget the highest so far
        before = self.status("VmRSS")
        yield
        grown = self.status("VmHWM") - before
        assert grown <= AT_MOST, f"grew by {grown / MEGABYTE:.0f} MB"

    def leftovers(self) -> list[str]:
        """Files of the temporary folder: those that lie there, and those only held open."""
        links = Path(f"/proc/{self.process.pid}/fd").iterdir()
        held = [_target(link) for link in links]
        lying = [str(path) for path in self.temporary.iterdir()]
        return lying + [path for path in held if path.startswith(str(self.temporary))]


def _target(link: Path) -> str:
    """What an open file is; nothing where it was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


@pytest.fixture
async def web(settings: Settings, tmp_path: Path) -> AsyncIterator[Web]:
    web = Web(settings, tmp_path)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{web.port}") as client:
            await _until_up(client)
        yield web
    finally:
        web.process.terminate()
        web.process.wait(20)


async def _until_up(client: httpx2.AsyncClient) -> None:
    deadline = time.monotonic() + STARTING
    while True:
        try:
            if (await client.get("/healthz")).status_code == 200:
                return
        except httpx2.ConnectError:
            assert time.monotonic() < deadline, "the web process never answered"
        await asyncio.sleep(0.1)  # nothing tells when a port is first listened on


async def send(web: Web, user: User, data: bytes) -> httpx2.Response:
    base = f"http://127.0.0.1:{web.port}"
    async with httpx2.AsyncClient(base_url=base, timeout=120, headers=user.headers) as client:
        return await client.post("/api/v1/images", files={"file": ("a.png", data)})


async def pour(web: Web, user: User) -> tuple[bytes, int]:
    """Send a file of 10 GB in chunks until the server answers: its first line, what it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    with closing(writer):
        writer.write(
            b"POST /api/v1/images HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n"
            b"Authorization: " + user.headers["Authorization"].encode() + b"\r\n\r\n"
        )
        opening = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        writer.write(b"%x\r\n%s\r\n" % (len(opening), opening))
        piece = b"%x\r\n%s\r\n" % (MEGABYTE, b"x" * MEGABYTE)
        answer = asyncio.ensure_future(reader.readline())
        sent = 0
        while not answer.done() and sent < ENDLESS:
            writer.write(piece)
            drained = asyncio.ensure_future(writer.drain())
            await asyncio.wait([drained, answer], return_when=asyncio.FIRST_COMPLETED)
            drained.cancel()
            sent += MEGABYTE
        return await answer, sent


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux says this")
async def test_no_bomb_and_no_flood_swells_the_process(
    web: Web, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    assert (await send(web, user, picture())).status_code == 201  # all that is loaded once is there
    with web.watched():
        bombs = {
            413: [pictures.png(40_000, 40_000, bits=1), pictures.claiming(65535, 65535)],
            422: [pictures.png(4000, 4000, colours=2)[:-100]],
            201: [pictures.png(5000, 5000, colours=2), pictures.png(5000, 5000, bits=1)],
        }
        for status, files in bombs.items():
            answers = await asyncio.gather(*(send(web, user, data) for data in files))
            assert {answer.status_code for answer in answers} == {status}
    with web.watched():
        line, sent = await pour(web, user)
        assert line.startswith(b"HTTP/1.1 413")
        assert sent < AT_MOST
    with web.watched():
        large = b"\x89PNG\r\n\x1a\n" + os.urandom(5 * MEGABYTE - 8)
        answers = await asyncio.gather(*(send(web, user, large) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {422}
    await until(lambda: not web.leftovers())  # the last one is closed behind its answer
