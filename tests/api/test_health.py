"""/healthz and /readyz: what a process manager and a load balancer rely on."""

import httpx2
import pytest

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
