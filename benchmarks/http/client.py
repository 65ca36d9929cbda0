"""A client that costs little: it sends one GET after the other on kept connections.

It reads no more of an answer than its status and its length, so that what is measured is the
server, also where that answers thousands of requests a second.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
_number = count()


@dataclass
class Load:
    """What a run came to: requests answered, and how long each took, in seconds."""

    seconds: float
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.took) / self.seconds


def request(path: str) -> bytes:
    """A GET of another visitor each time, as a proxy tells it, so that no limit is reached."""
    visitor = next(_number)
    address = f"10.{visitor >> 16 & 255}.{visitor >> 8 & 255}.{visitor & 255}"
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Forwarded-For: {address}\r\n\r\n"
    return head.encode()


class _Connection(asyncio.Protocol):
    """One visitor after the other, until the time is over."""

    def __init__(self, paths: Iterator[str], load: Load, end: float, over: asyncio.Future) -> None:
        self.paths, self.load, self.end, self.over = paths, load, end, over
        self.began, self.buffer = 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self.began = perf_counter()
        if self.began >= self.end:
            self.transport.close()
            return
        self.transport.write(request(next(self.paths)))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(HEAD_END)
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        if not lines[0].startswith(b"http/1.1 200"):
            self.over.set_exception(RuntimeError(self.buffer.decode(errors="replace")[:500]))
            self.transport.close()
            return
        length = next(int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH))
        if len(body) < length:
            return
        self.load.took.append(perf_counter() - self.began)
        self.buffer = body[length:]
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.over.done():
            return
        if exc or perf_counter() < self.end:
            self.over.set_exception(exc or ConnectionError("The server closed the connection."))
        else:
            self.over.set_result(None)


async def _send(port: int, paths: Iterator[str], connections: int, seconds: float) -> Load:
    loop, load = asyncio.get_running_loop(), Load(seconds)
    overs = [loop.create_future() for _ in range(connections)]
    end = perf_counter() + seconds
    for over in overs:
        await loop.create_connection(
            lambda over=over: _Connection(paths, load, end, over), "127.0.0.1", port
        )
    await asyncio.gather(*overs)
    return load


def send(port: int, paths: Iterator[str], connections: int, seconds: float) -> Load:
    """So many connections that ask for these paths, one request at a time each. Raises
    RuntimeError with the beginning of an answer that is not a 200."""
    return uvloop.run(_send(port, paths, connections, seconds))
