"""What may be fetched, and what only looks as if it might."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trustme
from aiohttp import web

from jobboard.errors import Invalid, TooLarge, Unavailable
from jobboard.infra import guard
from jobboard.infra.guard import Policy
from jobboard.infra.outbound import fetch, post

pytestmark = pytest.mark.anyio


OWN = Policy(http=True, private=True)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Starts a server for one handler and gives its address."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/"

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_fetches_what_stands_there(serve: Callable[[Handler], Awaitable[str]]) -> None:
    async def jobs(request: web.Request) -> web.Response:
        assert request.headers["Host"].startswith("127.0.0.1:")
        return web.Response(body=b'{"jobs": []}')

    assert await fetch(await serve(jobs), policy=OWN) == b'{"jobs": []}'


async def test_follows_no_redirect(serve: Callable[[Handler], Awaitable[str]]) -> None:
    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPFound("https://elsewhere.example.com/")

    url = await serve(moved)
    with pytest.raises(Unavailable, match=r"moved to https://elsewhere\.example\.com/"):
        await fetch(url, policy=OWN)


async def test_where_it_moved_to_is_text_that_can_be_stored_and_printed() -> None:
    """aiohttp's server cannot send such a header: this one can."""

    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Go\r\nLocation: http://x/\xff\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(odd, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(Unavailable, match=r"moved to http://x/\?\. Give"):
            await fetch(url, policy=OWN)
        assert (await post(url, b"{}", {}, policy=OWN)).location == "http://x/?"


@pytest.mark.parametrize(("status", "message"), [(404, "does not exist"), (500, "status 500")])
async def test_says_what_was_answered(
    serve: Callable[[Handler], Awaitable[str]], status: int, message: str
) -> None:
    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=status)

    url = await serve(failing)
    with pytest.raises(Unavailable, match=message):
        await fetch(url, policy=OWN)


async def test_stops_at_the_size_limit_also_of_what_was_packed(
    serve: Callable[[Handler], Awaitable[str]],
) -> None:
    async def bomb(_: web.Request) -> web.Response:
        body = gzip.compress(bytes(5_000_000))
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    url = await serve(bomb)
    with pytest.raises(TooLarge):
        await fetch(url, policy=OWN, max_bytes=1_000_000)


async def test_stops_at_the_time_limit(serve: Callable[[Handler], Awaitable[str]]) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)

    url = await serve(slow)
    with pytest.raises(Unavailable, match="longer than"):
        await fetch(url, policy=OWN, timeout=0.5)


async def test_a_server_that_is_not_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        await fetch(f"http://127.0.0.1:{port}/", policy=OWN, timeout=5)


async def test_what_leads_into_our_own_network_or_to_a_stranger_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def inside(*_: object) -> list[tuple[int, str]]:
        return [(socket.AF_INET, "127.0.0.1")]

    with monkeypatch.context() as patched:
        patched.setattr(guard, "_look_up", inside)
        with pytest.raises(Invalid, match="into a private network"):
            await fetch("https://jobs.example.com/jobs.json")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match=r"Its certificate is not good: .*verify failed"):
            await post(f"https://127.0.0.1:{port}/hook", b"{}", {}, policy=OWN)
