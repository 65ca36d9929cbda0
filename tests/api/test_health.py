"""/healthz and /readyz: what a process manager and a load balancer rely on."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from jobboard.api import health
from jobboard.asgi import create_app
from jobboard.settings import Settings
from tests.timing import TRIES, until

pytestmark = pytest.mark.anyio


async def test_health_asks_no_engine(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


async def test_ready_when_all_engines_answer(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "engines": {"postgres": "up", "redis": "up", "mongo": "up"},
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def stalling() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("setting", "scheme", "engine", "status"),
    [
        ("database_url", "postgresql", "postgres", 503),
        ("redis_url", "redis", "redis", 503),
        ("mongo_url", "mongodb", "mongo", 200),
    ],
)
@pytest.mark.parametrize("how", ["refuses", "stalls"])
async def test_an_engine_that_is_silent_is_named(
    settings: Settings,
    stalling: str,
    setting: str,
    scheme: str,
    engine: str,
    status: int,
    how: str,
) -> None:
    where = stalling if how == "stalls" else "127.0.0.1:1"
    url = SecretStr(f"{scheme}://{where}/0")
    app = create_app(settings.model_copy(update={setting: url}))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        answer = await soon(client, "/readyz", seconds=4)  # the drivers themselves wait for 5
        assert (await client.get("/healthz")).status_code == 200
    assert answer.status_code == status
    assert answer.json()["engines"] == {
        name: "down" if name == engine else "up" for name in ("postgres", "redis", "mongo")
    }
    if status == 503:
        assert answer.headers["retry-after"] == "5"


async def soon(client: httpx2.AsyncClient, path: str, *, seconds: float) -> httpx2.Response:
    """An answer that came within `seconds`; a machine that stalls for a moment is asked again."""
    for _ in range(TRIES):
        started = perf_counter()
        answer = await client.get(path)
        if perf_counter() - started < seconds:
            return answer
    raise AssertionError(f"{path} never answered within {seconds} s")


class Stubborn:
    """A driver that answers a cancellation with an error of its own."""

    async def ping(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("the connection broke") from None


async def test_an_engine_that_fails_after_all_is_nobodys_unseen_error(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PING_SECONDS", 0.01)
    complaints: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    try:
        states = await health.check(replace(app.state.engines, database=Stubborn()))
        await until(lambda: not health._late)
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert (states["postgres"], complaints) == ("down", [])


async def test_a_board_without_hit_logs_is_ready(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"mongo_url": SecretStr("")}))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["engines"]["mongo"]) == (200, "off")


async def test_metrics_say_what_they_cannot_know(settings: Settings) -> None:
    gone = {"database_url": SecretStr("postgresql://127.0.0.1:1/0"), "slow_statement_ms": 0}
    app = create_app(settings.model_copy(update=gone))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        text = (await client.get("/metrics")).text
    assert "jobboard_queue_up 0.0" in text
    assert "jobboard_hits_received_total" in text
    assert "jobboard_queue_waiting" not in text
    assert "jobboard_statements_slow" not in text  # nobody takes their time
