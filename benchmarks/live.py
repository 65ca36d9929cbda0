"""Open sockets on one process: memory of each, and the time of one message to all of them.

python -m benchmarks.live              SOCKETS=5000

The same client opens as many sockets at a bare Starlette app that echoes and sends to all, and at
the whole product; each is a process of its own under uvicorn, as `jobboard serve` starts it.

Memory is the growth of the process (VmRSS) from 50 sockets to all of them, by their number. Fan-out
is the time from the cause (a message to the bare server; a commit that moves the queue of the
moderators, here) to the last socket that has it: everybody is one of a thousand moderators.
"""

import asyncio
import base64
import os
import resource
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_bytes
from time import perf_counter
from uuid import UUID

import uvloop
from sqlalchemy import select, text
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.board import board, seconds_of
from benchmarks.output import until_no_one_reads
from jobboard.accounts.models import LoginSession
from jobboard.cli.processes import web_command
from jobboard.cli.surroundings import environment
from jobboard.infra import tickets
from jobboard.infra.postgres import Database
from jobboard.infra.redis import make_patient_redis, make_redis
from jobboard.infra.rings import MODERATION, Rings, ring_for
from jobboard.settings import Settings

SOCKETS = int(os.environ.get("SOCKETS", "5000"))
FEW, TURNS, PEOPLE, AT_ONCE, TRIES = 50, 5, 1000, 20, 10
ADMINS = """
WITH people AS (
    INSERT INTO people (email, full_name, password_hash, role)
    SELECT 'admin' || n || '@example.com', 'Admin', '', 'admin' FROM generate_series(1, :people) n
    RETURNING id
)
INSERT INTO login_sessions (person_id, kind, expires_at)
SELECT id, 'web', now() + interval '1 day' FROM people
"""
COMPANY = "INSERT INTO companies (name, slug) VALUES ('Bakery', 'bakery')"
PENDING = """
INSERT INTO jobs (slug, company_id, company_name, title, status, submitted_at)
SELECT 'job-' || gen_random_uuid(), id, name, 'Baker', 'pending', now() FROM companies
"""


class Crowd:
    """The other end of the sockets: it says hello and counts frames."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.links: list[asyncio.StreamWriter] = []
        self.got = 0
        self.all = asyncio.Event()
        self.expected = 0
        self._tasks: list[asyncio.Task[None]] = []

    def expect(self, frames: int) -> None:
        self.got, self.expected = 0, frames
        self.all.clear()

    async def open(self, path: Callable[[], Awaitable[str]]) -> None:
        """As a page does: again with a new ticket where a busy machine gave none in time."""
        for _ in range(TRIES):
            if await self._open(await path()):
                return
        raise ConnectionError("the server lets nobody in")

    async def _open(self, path: str) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        key = base64.b64encode(token_bytes(16)).decode()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            writer.close()
            return False
        self.links.append(writer)
        self._tasks.append(asyncio.create_task(self._read(reader, writer)))
        return True

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                kind, length = await reader.readexactly(2)
                if length == 126:
                    length = int.from_bytes(await reader.readexactly(2))
                payload = await reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if kind == 0x89:  # a ping: the server wants to hear that we live
                mask = token_bytes(4)
                pong = bytes(a ^ mask[n % 4] for n, a in enumerate(payload))
                writer.write(bytes([0x8A, 0x80 | length]) + mask + pong)
            elif kind == 0x81 and b'"beat"' not in payload:
                self.got += 1
                if self.got == self.expected:
                    self.all.set()

    def say(self, words: bytes) -> None:
        mask = token_bytes(4)
        masked = bytes(a ^ mask[n % 4] for n, a in enumerate(words))
        self.links[0].write(bytes([0x81, 0x80 | len(words)]) + mask + masked)

    async def wait(self) -> None:
        async with asyncio.timeout(60):
            await self.all.wait()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for writer in self.links:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def bare() -> Starlette:
    """What one would write first: echo, and `all:` to everybody."""
    sockets: set[WebSocket] = set()

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        sockets.add(websocket)
        try:
            while True:
                words = await websocket.receive_text()
                for each in list(sockets) if words.startswith("all:") else [websocket]:
                    await each.send_text(words)
        except WebSocketDisconnect:
            sockets.discard(websocket)

    return Starlette(routes=[WebSocketRoute("/ws", echo)])


def kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


@asynccontextmanager
async def serving(env: dict[str, str], port: int, app: str) -> AsyncGenerator[int]:
    """The process id of a server that answers."""
    argv = web_command("--host", "127.0.0.1", "--port", str(port))
    argv[argv.index("jobboard.asgi:create_app")] = app
    if app.startswith("benchmarks"):
        argv[argv.index("--app-dir") + 1] = str(Path(__file__).parents[1])
        argv[argv.index("--lifespan") + 1] = "off"
    process = await asyncio.create_subprocess_exec(
        *argv, env=env, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


class Board:
    """The whole product: sockets by tickets, and a commit that moves the moderators' queue."""

    def __init__(self, settings: Settings) -> None:
        self.redis = make_redis(settings.redis_url.get_secret_value())
        self.rings = Rings(make_patient_redis(settings.redis_url.get_secret_value()))
        self.database = Database(settings.database_url.get_secret_value(), tell=self.rings.ring)
        self.logins: list[tuple[UUID, UUID]] = []
        self.number = 0

    async def fill(self) -> None:
        async with self.database.transaction() as session:
            await session.execute(text(ADMINS), {"people": PEOPLE})
            await session.execute(text(COMPANY))
            rows = await session.execute(select(LoginSession.person_id, LoginSession.id))
            self.logins = [(person, login) for person, login in rows]

    async def path(self) -> str:
        person, login = self.logins[self.number % PEOPLE]
        self.number += 1
        return f"/ws?ticket={await tickets.issue(self.redis, person, login)}"

    async def cause(self) -> None:
        async with self.database.transaction() as session:
            await session.execute(text(PENDING))
            ring_for(session, MODERATION)

    async def close(self) -> None:
        await self.database.close()
        await self.redis.aclose()
        await self.rings.close()


async def plain() -> str:
    return "/ws"


async def measure(name: str, pid: int, crowd: Crowd, board: Board | None) -> None:
    async def enter(number: int) -> None:
        for begin in range(0, number, AT_ONCE):
            some = range(min(AT_ONCE, number - begin))
            await asyncio.gather(*(crowd.open(board.path if board else plain) for _ in some))

    if board:
        crowd.expect(FEW)
    await enter(FEW)
    if board:
        await crowd.wait()
    before = kilobytes(pid)
    if board:
        crowd.expect(SOCKETS - FEW)
    began = perf_counter()
    await enter(SOCKETS - FEW)
    if board:
        await crowd.wait()
    opening = perf_counter() - began
    await asyncio.sleep(1)
    each = (kilobytes(pid) - before) / (SOCKETS - FEW)
    walls, works = [], []
    for _ in range(TURNS):
        crowd.expect(SOCKETS)
        busy, began = seconds_of(pid), perf_counter()
        if board:
            await board.cause()
        else:
            crowd.say(b'all:{"type":"moderation","pending":1}')
        await crowd.wait()
        walls.append(perf_counter() - began)
        works.append(seconds_of(pid) - busy)
    print(f"{name:24}{each:12.1f}{min(walls) * 1000:14.0f}{min(works) * 1000:14.0f}{opening:12.1f}")


async def run(settings: Settings) -> None:
    print(f"{'':24}{'kB a socket':>12}{'to all, ms':>14}{'processor ms':>14}{'opened in s':>12}")
    env = {**environment(settings), "PYTHONPATH": str(Path(__file__).parents[1])}
    async with serving(env, 8463, "benchmarks.live:bare") as pid:
        crowd = Crowd(8463)
        await measure("bare Starlette", pid, crowd, None)
        await crowd.close()
    board = Board(settings)
    await board.fill()
    async with serving(env, 8464, "jobboard.asgi:create_app") as pid:
        crowd = Crowd(8464)
        await measure("Jobboard", pid, crowd, board)
        await crowd.close()
    await board.close()


def main() -> None:
    """On engines of its own."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"Live: {SOCKETS:,} open sockets, one process, Python {sys.version.split()[0]}")
    with board("database_url", "redis_url") as settings:
        uvloop.run(run(settings))


if __name__ == "__main__":
    until_no_one_reads(main)
