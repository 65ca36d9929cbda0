"""A Redis that is stopped, killed or back again, and a process of ours that stands still."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
import structlog
from limits import parse

from jobboard.asgi import create_app
from jobboard.errors import RateLimited
from jobboard.infra import limiter as module
from jobboard.infra import line, rates
from jobboard.infra.embedded import temporary
from jobboard.infra.limiter import Limiter
from jobboard.infra.line import Line
from jobboard.infra.redis import make_patient_redis
from jobboard.settings import Settings
from tests.infra.ill_redis import Server
from tests.timing import at_once

pytestmark = pytest.mark.anyio


@pytest.fixture
async def limiter(server: Server) -> AsyncIterator[Limiter]:
    """Each class three a minute."""
    limiter = Limiter(make_patient_redis(server.url))
    limiter.rates = {each: parse("3/minute") for each in rates.CLASSES}
    yield limiter
    await limiter.close()


async def test_a_stopped_redis_opens_general_limits_and_keeps_those_of_log_in(
    limiter: Limiter, server: Server
) -> None:
    assert await limiter.count(rates.READS, "ann")
    server.send(signal.SIGSTOP)
    with structlog.testing.capture_logs() as lines:
        crowd = [limiter.count(rates.READS, "ann") for _ in range(50)]
        assert await asyncio.gather(*crowd) == [None] * 50
    assert [line["event"] for line in lines] == ["limiter.redis_silent"]
    # From now on nobody waits for it.
    assert [at_once(limiter.count(rates.READS, "ann")) for _ in range(9)] == [None] * 9
    log_ins = [at_once(limiter.count(rates.LOGIN, "203.0.113.7"))[0] for _ in range(5)]
    assert log_ins == [True] * 3 + [False] * 2


async def test_when_one_has_given_up_nobody_waits_on(limiter: Limiter, server: Server) -> None:
    await limiter.count(rates.READS, "ann")
    server.send(signal.SIGSTOP)
    first = asyncio.create_task(limiter.count(rates.READS, "ann"))
    await asyncio.sleep(line.ANSWER_SECONDS / 2)
    second = asyncio.create_task(limiter.count(rates.READS, "bob"))
    assert await first is None
    await asyncio.sleep(0)
    assert second.done()


async def test_after_the_rest_one_asks_again_and_the_others_do_not_wait(
    limiter: Limiter, server: Server
) -> None:
    server.send(signal.SIGSTOP)
    assert await limiter.count(rates.READS, "ann") is None
    limiter._silence._rests_until = 0.0
    scout = asyncio.create_task(limiter.count(rates.READS, "ann"))
    await asyncio.sleep(0)
    assert at_once(limiter.count(rates.READS, "bob")) is None
    server.send(signal.SIGCONT)
    with structlog.testing.capture_logs() as lines:
        counted = await scout
    assert counted
    assert counted[0]
    assert [line["event"] for line in lines] == ["limiter.redis_back"]
    assert await limiter.count(rates.READS, "bob")


async def test_our_own_standstill_is_not_taken_for_a_silent_redis(
    limiter: Limiter, server: Server
) -> None:
    await limiter.count(rates.READS, "ann")
    loop = asyncio.get_running_loop()

    def stand_still(turns: int) -> None:
        time.sleep(1.1 * line.ANSWER_SECONDS / line.LOOKS)
        server.client.ping()  # by now Redis has answered: it lies in the socket
        if turns > 1:
            loop.call_soon(stand_still, turns - 1)

    for turns in (1, 2, 3, 6):
        asked = asyncio.create_task(limiter.count(rates.READS, f"p{turns}"))
        loop.call_soon(stand_still, turns)
        with structlog.testing.capture_logs() as lines:
            counted = await asked
        assert counted
        assert (counted[1].used, lines) == (1, [])  # and only once


async def test_more_requests_than_connections_are_no_fault(limiter: Limiter) -> None:
    crowd = [limiter.count(rates.READS, f"p{number}") for number in range(300)]
    assert None not in await asyncio.gather(*crowd)


@pytest.mark.parametrize("refusal", ["wrong kind", "out of memory"])
async def test_a_redis_that_refuses_is_as_good_as_gone(
    limiter: Limiter, server: Server, refusal: str
) -> None:
    if refusal == "wrong kind":
        assert await limiter.count(rates.READS, "ann")
        (key,) = server.client.keys()
        server.client.set(key, "not a list")
    else:
        server.client.config_set("maxmemory", "1")
    try:
        assert await limiter.count(rates.READS, "ann") is None
        assert at_once(limiter.count(rates.LOGIN, "ann"))[0]
    finally:
        server.client.config_set("maxmemory", "0")


async def test_a_restarted_redis_is_used_again(limiter: Limiter, server: Server) -> None:
    await limiter.count(rates.READS, "ann")
    server.client.script_flush()
    server.client.client_kill_filter(_type="normal", skipme=True)
    assert await limiter.count(rates.READS, "ann")


async def test_several_windows_count_together_or_not_at_all(limiter: Limiter) -> None:
    limiter._times = 1
    for _ in range(10):
        await limiter.hit_login("ann@example.com", "203.0.113.7")
    for _ in range(5):
        with pytest.raises(RateLimited):
            await limiter.hit_login("ann@example.com", "203.0.113.7")
    address = limiter._of_address("login-address", module.ADDRESS_LOGIN, "203.0.113.7")
    assert (await limiter._shared.take(address)).standings[0].used == 11


def _secret(url: str) -> Any:
    return Settings(redis_url=url).redis_url


@pytest.fixture
def doomed() -> Iterator[Server]:
    with temporary(needed=["redis_url"]) as started:
        yield Server(started.redis_url)


async def test_a_board_whose_redis_was_killed_goes_on(
    settings: Settings, doomed: Server, clean: None
) -> None:
    app = create_app(settings.model_copy(update={"redis_url": _secret(doomed.url)}))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=settings.base_url) as client,
    ):
        app.state.engines.limiter.rates[rates.LOGIN] = parse("3/minute")
        assert "ratelimit" in (await client.get("/api/v1/jobs")).headers
        doomed.client.close()
        doomed.send(signal.SIGKILL)
        for path in ("/api/v1/jobs", "/", "/api/v1/companies"):
            answer = await client.get(path)
            assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)
        form = {"grant_type": "password", "username": "ann@example.com", "password": "wrong"}
        tries = [await client.post("/api/v1/auth/token", data=form) for _ in range(4)]
        assert [answer.status_code for answer in tries] == [401, 401, 401, 429]
        assert tries[3].headers["ratelimit-remaining"] == "0"


async def test_two_who_find_the_line_broken_dial_once(limiter: Limiter, server: Server) -> None:
    await limiter.count(rates.READS, "ann")
    server.client.client_kill_filter(_type="normal", skipme=True)
    assert all(await asyncio.gather(*(limiter.count(rates.READS, "ann") for _ in range(2))))
    assert len(server.client.client_list()) == 2  # ours, and the test's own


async def test_who_leaves_before_the_answer_takes_nobody_elses(server: Server) -> None:
    own = Line(make_patient_redis(server.url))
    await own.ask("SET", "name", "mine")
    server.send(signal.SIGSTOP)
    leaves = asyncio.ensure_future(own.ask("PING"))
    stays = asyncio.ensure_future(own.ask("GET", "name"))
    await asyncio.sleep(0)
    leaves.cancel()
    server.send(signal.SIGCONT)
    assert await stays == b"mine"
    server.send(signal.SIGSTOP)
    leaves = asyncio.ensure_future(own.ask("PING"))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([leaves])
    await own.close()
    assert leaves.cancelled()
