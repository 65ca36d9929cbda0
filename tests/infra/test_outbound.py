"""What may be fetched, and what only looks as if it might."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.resolver import ThreadedResolver

from jobboard.errors import Invalid, TooLarge, Unavailable
from jobboard.infra.outbound import fetch, is_public

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00::1"])
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
        "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
        "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x",
        "https://[half", "https://example.com:99999/", "https://me:secret@example.com/", "nonsense",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/",
        "https://169.254.169.254/latest/meta-data", "https://[64:ff9b::7f00:1]/", "https://0x7f.1/",
    ],
)  # fmt: skip
async def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        await fetch(url, timeout=5)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0177.0.0.1"])
async def test_short_forms_of_loopback_lead_nowhere(host: str) -> None:
    with pytest.raises((Invalid, Unavailable)):
        await fetch(f"https://{host}/", timeout=5)


def _resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    async def resolve(_: Any, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        asked.append(host)
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            {"hostname": host, "host": a, "port": port, "family": k, "proto": 0, "flags": 0}
            for a, k in zip(addresses, kinds, strict=True)
        ]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [("10.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("2002:7f00:1::", "8.8.8.8"), ("fe80::1%1",)],
)
async def test_a_name_is_refused_if_any_of_its_addresses_is_not_public(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    _resolves_to(monkeypatch, *addresses)
    with pytest.raises(Invalid, match="private network"):
        await fetch("https://jobs.example.com/", timeout=5)


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

    assert await fetch(await serve(jobs), allow_loopback=True) == b'{"jobs": []}'


async def test_follows_no_redirect(serve: Callable[[Handler], Awaitable[str]]) -> None:
    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPFound("https://elsewhere.example.com/")

    url = await serve(moved)
    with pytest.raises(Unavailable, match=r"moved to https://elsewhere\.example\.com/"):
        await fetch(url, allow_loopback=True)


@pytest.mark.parametrize(("status", "message"), [(404, "does not exist"), (500, "status 500")])
async def test_says_what_was_answered(
    serve: Callable[[Handler], Awaitable[str]], status: int, message: str
) -> None:
    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=status)

    url = await serve(failing)
    with pytest.raises(Unavailable, match=message):
        await fetch(url, allow_loopback=True)


async def test_stops_at_the_size_limit_also_of_what_was_packed(
    serve: Callable[[Handler], Awaitable[str]],
) -> None:
    async def bomb(_: web.Request) -> web.Response:
        body = gzip.compress(bytes(5_000_000))
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    url = await serve(bomb)
    with pytest.raises(TooLarge):
        await fetch(url, allow_loopback=True, max_bytes=1_000_000)


async def test_stops_at_the_time_limit(serve: Callable[[Handler], Awaitable[str]]) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)

    url = await serve(slow)
    with pytest.raises(Unavailable, match="longer than"):
        await fetch(url, allow_loopback=True, timeout=0.5)


async def test_a_server_that_is_not_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        await fetch(f"http://127.0.0.1:{port}/", allow_loopback=True, timeout=5)
