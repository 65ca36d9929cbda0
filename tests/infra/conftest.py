"""A Redis that tests may stop."""

import signal
from collections.abc import Iterator

import pytest

from jobboard.infra.embedded import temporary
from tests.infra.ill_redis import Server


@pytest.fixture(scope="session")
def own_redis() -> Iterator[str]:
    """The address of one."""
    with temporary(needed=["redis_url"]) as started:
        yield started.redis_url


@pytest.fixture
def server(own_redis: str) -> Iterator[Server]:
    """It is well, and empty, when the next test has it."""
    server = Server(own_redis)
    yield server
    server.send(signal.SIGCONT)
    server.client.flushall()
    server.client.close()
