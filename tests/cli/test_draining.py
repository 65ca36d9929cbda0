"""A web process that is told to end answers what had reached it."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest
from uvicorn import Config

from jobboard.cli import draining
from jobboard.cli.draining import Draining
from tests.timing import until

pytestmark = pytest.mark.anyio


async def hello(_scope: object, _receive: object, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_a_request_that_was_on_its_way_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "DRAIN", 30.0)
    server = Draining(Config(hello, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: server.server_state.connections)  # accepted, and nothing of it read
    server.should_exit = True
    await until(lambda: not server.servers[0].is_serving())
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
    writer.close()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def test_gunicorns_socket_is_let_go_and_what_is_idle_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "DRAIN", 0.0)
    server = Draining(Config(hello, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: server.server_state.connections)
        server.should_exit = True
        async with asyncio.timeout(20):
            await serving
        assert await reader.read() == b""
        writer.close()
        assert listener.fileno() == -1
