"""Log-in stays limited, with Redis, without it, and while it stalls."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI
from limits import parse

from jobboard.errors import RateLimited
from jobboard.infra import windows
from jobboard.infra.limiter import Limiter
from jobboard.infra.redis import make_patient_redis
from jobboard.settings import Settings

pytestmark = pytest.mark.anyio
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def limiter(settings: Settings, clean: None) -> AsyncIterator[Limiter]:
    """On the Redis of the tests."""
    redis = make_patient_redis(settings.redis_url.get_secret_value())
    limiter = Limiter(redis)
    yield limiter
    await limiter.close()


async def tries_until_refused(limiter: Limiter, *key: str, rate: str = "3/minute") -> int:
    for count in range(20):
        if not await passes(limiter, rate, *key):
            return count
    return 20


async def passes(limiter: Limiter, rate: str, *key: str) -> bool:
    try:
        await limiter.hit("probe", rate, *key)
    except RateLimited as error:
        return not 1 <= error.retry_after <= 60
    return True


async def test_each_key_has_its_own_count(limiter: Limiter) -> None:
    assert await tries_until_refused(limiter, "ann", "203.0.113.7") == 3
    assert await tries_until_refused(limiter, "ann", "203.0.113.7") == 0
    assert await tries_until_refused(limiter, "bob", "203.0.113.7") == 3
    assert await tries_until_refused(limiter, "ann", "203.0.113.8") == 3


async def test_parts_of_a_key_do_not_run_together(limiter: Limiter) -> None:
    assert await tries_until_refused(limiter, "ab", "c") == 3
    assert await tries_until_refused(limiter, "a", "bc") == 3


async def test_the_window_moves(limiter: Limiter) -> None:
    assert await tries_until_refused(limiter, "ann", rate="2/second") == 2
    await asyncio.sleep(1.1)
    assert await tries_until_refused(limiter, "ann", rate="2/second") == 2


async def test_processes_count_together(limiter: Limiter, settings: Settings) -> None:
    other = Limiter(make_patient_redis(settings.redis_url.get_secret_value()))
    assert await tries_until_refused(limiter, "ann") == 3
    assert await tries_until_refused(other, "ann") == 0
    await other.close()


async def test_without_redis_each_process_counts_for_itself() -> None:
    limiter = Limiter(make_patient_redis(NOWHERE))
    assert await tries_until_refused(limiter, "ann") == 3
    await limiter.close()


async def test_a_redis_that_stalls_costs_half_a_second_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, says nothing
        limiter = Limiter(make_patient_redis(f"redis://127.0.0.1:{server.getsockname()[1]}/0"))
        with structlog.testing.capture_logs() as lines:
            assert await tries_until_refused(limiter, "ann") == 3
        assert [line["event"] for line in lines] == ["limiter.redis_silent"]
        await limiter.close()
        server.accept()[0].close()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()  # nobody dialled again


async def test_off_lifts_it(settings: Settings) -> None:
    limiter = Limiter(make_patient_redis(NOWHERE), enabled=False)
    assert await tries_until_refused(limiter, "ann") == 20


async def test_log_in_is_limited_by_person_and_address(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    async def log_in(email: str) -> httpx2.Response:
        form: dict[str, Any] = {"grant_type": "password", "username": email, "password": "wrong"}
        return await client.post("/api/v1/auth/token", data=form)

    for _ in range(10):
        assert (await log_in("ann@example.com")).status_code == 401
    refused = await log_in("ANN@example.com ")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    seconds = refused.headers["retry-after"]
    assert 1 <= int(seconds) <= 300
    assert refused.headers.get_list("ratelimit-policy") == ['"login";q=10;w=300']
    assert refused.headers.get_list("ratelimit") == [f'"login";r=0;t={seconds}']
    assert (await log_in("bob@example.com")).status_code == 401


def test_a_process_that_counts_for_itself_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(windows, "monotonic", lambda: clock[0])
    monkeypatch.setattr(windows, "MOST_KEYS", 2)
    local, rate = windows.LocalWindows(), parse("1/minute")

    def allowed(name: str) -> bool:
        return local.take(windows.Window(rate, name)).allowed

    assert [allowed("ann"), allowed("ann"), allowed("bob")] == [True, False, True]
    assert allowed("cem")  # one too many: the oldest is forgotten
    assert list(local._times) == ["bob", "cem"]
    clock[0] += 30
    assert [allowed("bob"), allowed("ann")] == [False, True]
    clock[0] += 31
    assert allowed("cem")  # its minute is over
    clock[0] += windows.SWEEP_SECONDS + 60
    assert allowed("dan")
    assert list(local._times) == ["dan"]
