"""Visitors are told apart for a day, with a secret that ends with it and that nothing leads to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

import pytest
from redis.asyncio import Redis

from jobboard.analytics import salts
from jobboard.analytics.salts import KEY, Salts
from jobboard.clock import now
from jobboard.infra.redis import make_redis
from jobboard.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    redis = make_redis(settings.redis_url.get_secret_value())
    yield redis
    await redis.aclose()


async def test_all_processes_share_a_random_one_until_midnight(redis: Redis) -> None:
    day = now().date()
    await redis.delete(KEY.format(day))
    first, again = Salts(redis), Salts(redis)
    assert await first.today() == await again.today()
    left = timedelta(seconds=await redis.ttl(KEY.format(day)))
    assert timedelta() < left
    assert now() + left - timedelta(seconds=1) <= midnight_after(now())
    before = (await first.today())[1]
    assert len(before) == 32
    await redis.delete(KEY.format(day))  # as at midnight: nobody can make the same one again
    assert (await Salts(redis).today())[1] != before


async def test_two_who_ask_at_once_ask_redis_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Salts(redis)
    shared, asked = ours._shared, []

    async def count(day: date) -> bytes:
        asked.append(day)
        return await shared(day)

    monkeypatch.setattr(ours, "_shared", count)
    one, other = await asyncio.gather(ours.today(), ours.today())
    assert one == other
    assert len(asked) == 1


async def test_the_next_day_has_another(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Salts(redis)
    today, salt = await known.today()
    monkeypatch.setattr(salts, "now", lambda: now() + timedelta(days=1))
    tomorrow, another = await known.today()
    assert (tomorrow - today, salt != another) == (timedelta(days=1), True)
    await redis.delete(KEY.format(tomorrow))


async def test_without_redis_it_is_of_this_process_until_redis_is_back(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = make_redis("redis://127.0.0.1:9/0")
    alone = Salts(gone)
    own = await alone.today()
    assert await alone.today() == own
    monkeypatch.setattr(salts, "REST_SECONDS", 0.0)
    alone = Salts(gone)
    own = await alone.today()
    assert await alone.today() == own  # asked once more, in vain
    alone._redis = redis
    assert await alone.today() == await Salts(redis).today() != own
    await gone.aclose()


def midnight_after(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
