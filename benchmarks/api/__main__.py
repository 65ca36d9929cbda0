"""What repeating requests costs: a list again (304), and a POST with an Idempotency-Key.

python -m benchmarks.api

The app runs in this process on engines of its own; what is told is this process's processor time,
client and app together, so that a busy machine weighs less. The kinds take turns: read the ratios.
"""

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable
from statistics import median
from uuid import uuid4

import httpx2

from benchmarks.board import BASE, board
from jobboard.api.conditional import etag
from jobboard.asgi import create_app
from jobboard.demo.board import fill
from jobboard.settings import Settings

TURNS = 60
LIST = "/api/v1/jobs?limit=100"
Send = Callable[[], Awaitable[httpx2.Response]]


async def compare(kinds: dict[str, Send], turns: int = TURNS) -> None:
    """Median milliseconds of the processor, bytes of each kind, and the ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in kinds}
    sizes: dict[str, int] = {}
    for _ in range(turns):
        for name, send in kinds.items():
            start = time.process_time()
            answer = await send()
            times[name].append((time.process_time() - start) * 1000)
            sizes[name] = int(answer.headers.get("content-length", 0))
    base = median(next(iter(times.values())))
    for name, taken in times.items():
        ms = median(taken)
        print(f"  {name:34} {ms:8.2f} ms  x{ms / base:4.2f}  {sizes[name]:8,} bytes")


async def lists(client: httpx2.AsyncClient) -> None:
    """A page of a hundred jobs, whole and again."""
    whole = await client.get(LIST, headers={"Accept-Encoding": "identity"})
    known = {"If-None-Match": whole.headers["etag"]}
    body = whole.content
    start = time.process_time()
    for _ in range(1000):
        etag(body)
    print(f"{LIST}, {len(body):,} bytes; its hash takes {time.process_time() - start:.3f} ms")
    await compare(
        {
            "200, compressed": lambda: client.get(LIST, headers={"Accept-Encoding": "gzip"}),
            "200, plain": lambda: client.get(LIST, headers={"Accept-Encoding": "identity"}),
            "304": lambda: client.get(LIST, headers={"Accept-Encoding": "gzip"} | known),
        }
    )


async def creating(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    """A new task, without a key, with one, and sent again."""

    def post(key: str | None = None) -> Awaitable[httpx2.Response]:
        more = {"Idempotency-Key": key} if key else {}
        return client.post("/api/v1/tasks", json={"title": "Call"}, headers=headers | more)

    print("POST /api/v1/tasks")
    await compare(
        {
            "without a key": post,
            "with a new key": lambda: post(str(uuid4())),
            "sent again": lambda: post("the same one, always"),
        }
    )


async def run(settings: Settings) -> None:
    """Fill a board, log in, measure."""
    app = create_app(settings)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=BASE) as client,
    ):
        engines = app.state.engines
        async with engines.database.transaction() as session:
            logins = await fill(session, engines.storage, settings, jobs=500, seed=1)
        form = {"username": logins.candidate, "password": logins.password}
        token = await client.post("/api/v1/auth/token", data={"grant_type": "password", **form})
        await lists(client)
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        await creating(client, bearer)


def main() -> None:
    """Start engines, measure, stop them."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with board("database_url", "redis_url") as settings:
        asyncio.run(run(settings))


if __name__ == "__main__":
    main()
