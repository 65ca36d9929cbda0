"""What no client sends, to a real server: refused or answered, and never a 500."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI

pytestmark = pytest.mark.anyio
END = b"\r\nHost: x\r\nConnection: close\r\n\r\n"
PATHS = [
    b"/api/v1/jobs/%zz",
    b"/api/v1/jobs/%ff%fe",
    b"/api/v1/jobs/%ED%A0%80",
    b"/api/v1/jobs/%00",
    b"/api/v1/jobs/\xff\xfe",
    b"/api/v1/jobs?q=\xff",
    b"/api/v1/jobs?q=%ff&cursor=%ff",
    b"/api/v1/jobs?%ff=%zz&&&=",
    b"/api/v1/jobs?salary_min=1e999&posted_within=99999999999999999999",
    b"/api/v1/jobs?q=" + b"a" * 60_000,
    b"/api/v1/jobs;a=b",
    b"/api/v1/jobs#fragment",
    b"/api//v1/jobs",
    b"//",
    b"//evil.example/x",
    b"*",
    b"api/v1/jobs",
    b"http://evil.example/api/v1/jobs",
    b"/" + b"a" * 100_000,
    b"/jobs/%ED%A0%80",
    b"/jobs/%E2%80%AE",
    b"/companies/%00",
    b"/logos/%0a",
    b"/static/x/%00",
    b"/static/x/%2e%2e/secret",
    b"/..%2f..%2fetc/passwd",
    b"/?cursor=%ff&q=%00",
]
HEADERS = [
    b"Content-Length: many",
    b"Content-Length: -1",
    b"Content-Length: 2\r\nContent-Length: 3",
    b"Content-Length: 2\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Authorization: Bearer \xff\xfe",
    b"Authorization: Basic :::",
    b"Authorization: Bearer a\r\nAuthorization: Bearer b",
    b"Authorization: Bearer " + b"a." * 20_000,
    b'Cookie: jobboard_session=\xff\xfe";;=;a="',
    b"Cookie: jobboard_flash=\xff.\xfe",
    b"Ho st: y",
    b"X: a\x00b",
    b"X: a\r\n b",
    b"Expect: the impossible",
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x",
    b"Range: bytes=9-1,a\r\nIf-None-Match: \xff\r\nIf-Modified-Since: \xff",
    b"Accept-Encoding: \xff;q=z\r\nAccept: \xff",
    b"X-Forwarded-For: \xff\r\nX-Request-ID: \xff\r\nX-Forwarded-Proto: \xff",
    b"Content-Type: \xff",
    b"\r\n".join(b"X%d: a" % number for number in range(2_000)),
]
BODIES = [  # of a POST to the sign-up, with its headers
    b'Content-Type: application/json\r\nContent-Length: 3\r\n\r\n"\xff"',
    b"Content-Type: application/json; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}",
    b"Content-Type: application/json\r\nContent-Length: 200\r\n\r\n{}",  # and then hangs up
    b'Content-Type: ;;;="\r\nContent-Length: 2\r\n\r\n{}',
    b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc",
    b"Content-Type: multipart/form-data; boundary=\xff\r\nContent-Length: 3\r\n\r\nabc",
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9\r\n\r\n--x\r\n\xff\r\n\r",
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\n\xff\xfe=%zz&%%",
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}garbage\r\n0\r\n\r\n",
]
LINES = [
    b"B@D / HTTP/1.1" + END,
    b"A" * 500 + b" / HTTP/1.1" + END,
    b"CONNECT x:1 HTTP/1.1" + END,
    b"TRACE /api/v1/jobs HTTP/1.1" + END,
    b"OPTIONS * HTTP/1.1" + END,
    b"GET / HTTP/9.9" + END,
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 100,
    b"\r\n\r\n\r\n",
]


@pytest.fixture(scope="module")
async def port(app: FastAPI) -> AsyncIterator[int]:
    """The app behind uvicorn, as `jobboard serve` runs it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, access_log=False, proxy_headers=False
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await running


async def statuses(port: int, *requests: bytes) -> dict[bytes, int]:
    """The status of each answer; 0 where the server hung up without a word."""
    return {request[:120]: await status(port, request) for request in requests}


async def status(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(30):
            writer.write(request)
            writer.write_eof()
            answer = await reader.read()
    except ConnectionError:
        return 0
    finally:
        writer.close()
    assert b"Traceback" not in answer
    return int(answer.split()[1]) if answer else 0


def failures(found: dict[bytes, int]) -> dict[bytes, int]:
    assert len(found) > 5
    return {request: status for request, status in found.items() if status >= 500}


@pytest.mark.usefixtures("clean")
class TestOddRequests:
    async def test_addresses(self, port: int) -> None:
        found = await statuses(port, *(b"GET " + path + b" HTTP/1.1" + END for path in PATHS))
        assert failures(found) == {}

    async def test_headers(self, port: int) -> None:
        requests = [
            b"GET %s HTTP/1.1\r\n%s" % (path, header) + END
            for header in HEADERS
            for path in (b"/api/v1/jobs", b"/api/v1/me", b"/me")
        ]
        assert failures(await statuses(port, *requests)) == {}

    async def test_bodies(self, port: int) -> None:
        requests = [
            b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s" % (path, body)
            for body in BODIES
            for path in (b"/api/v1/auth/register", b"/api/v1/auth/token", b"/log-in")
        ]
        assert failures(await statuses(port, *requests)) == {}

    async def test_request_lines(self, port: int) -> None:
        assert failures(await statuses(port, *LINES)) == {}
        assert await status(port, b"GET /healthz HTTP/1.1" + END) == 200
