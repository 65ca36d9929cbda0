"""The real app behind a real server, in a thread with a loop of its own: for tests that are not
async themselves and send thousands of requests."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI

Result = TypeVar("Result")


class Served(uvicorn.Server):
    """A server that says when it listens, and takes work for its loop."""

    def __init__(self, app: FastAPI, listening: socket.socket, ws: str) -> None:
        # No log settings of its own: those would stay in this process for every later test.
        config = uvicorn.Config(app, log_config=None, access_log=False, ws=ws, lifespan="on")
        super().__init__(config)
        self.app = app
        self.address = "http://{}:{}".format(*listening.getsockname())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tried = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As in production; then let the test go on."""
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)
        finally:
            self._tried.set()

    def wait(self) -> None:
        """Return when it listens."""
        assert self._tried.wait(60)
        assert self.started

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run this beside the requests, with the app's own engines."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@contextmanager
def serve(app: FastAPI, *, ws: str = "none") -> Generator[Served]:
    """Serve `app` on a free port; `ws` is uvicorn's way with WebSockets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Served(app, listening, ws)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            server.wait()
            yield server
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()
