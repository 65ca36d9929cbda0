"""The real app with a few routes more, which go wrong on purpose."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from fastapi import FastAPI

from jobboard.asgi import DOOR, create_app
from jobboard.settings import Settings
from tests.api import probe
from tests.api.served import Served
from tests.api.stage import Stage, set_up, theatre


@pytest.fixture(scope="session")
async def probe_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The app with the routes of `probe`, started, behind a proxy at 10.9.9.9."""
    behind_proxy = settings.model_copy(update={"trusted_proxies": "10.9.0.0/16, fd00::/8"})
    app = create_app(behind_proxy)
    app.include_router(probe.router, dependencies=DOOR)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def probing(probe_app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """HTTP to it, from a client of its own."""
    transport = httpx2.ASGITransport(
        app=probe_app, raise_app_exceptions=False, client=("203.0.113.77", 4711)
    )
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Served]:
    """The app without limits behind a real server, for tests that are not async."""
    with theatre(settings) as served:
        yield served


@pytest.fixture
def stage(server: Served) -> Stage:
    """One of each thing, as on the first day."""
    return set_up(server)
