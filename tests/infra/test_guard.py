"""The SSRF guard, tried with what people try: hostile addresses lead to no connection.

A server on this machine counts connections. Each address is given to the guard as a new webhook's
is, and, where it is asked to connect, straight to the client as if the first look had been passed.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from jobboard.errors import DomainError, Invalid, Unavailable
from jobboard.infra import guard, outbound
from jobboard.infra.guard import PUBLIC, Policy, is_public, read_url, require_callable
from jobboard.infra.outbound import fetch, post
from tests.timing import until

pytestmark = pytest.mark.anyio
OWN = Policy(http=True, private=True)
HTTP = Policy(http=True)
look_up = guard._look_up  # the real one


@dataclass
class Trap:
    """A port of this machine, on every address of it, that counts who connects."""

    port: int
    connections: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
async def trap(anyio_backend: Any) -> AsyncIterator[Trap]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trap.connections.append(writer.get_extra_info("peername"))
        with suppress(OSError):
            await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    listening = socket.socket(socket.AF_INET6)
    listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listening.bind(("::", 0))
    trap = Trap(listening.getsockname()[1])
    async with await asyncio.start_server(answer, sock=listening):
        yield trap


async def _look_up(host: str, port: int, family: int) -> list[tuple[int, str]]:
    """As this machine reads numbers and its own names; no name server is asked."""
    if host.lower().rstrip(".").endswith(("localhost", "localdomain", "internal", "metadata")):
        return [(socket.AF_INET, "127.0.0.1")]
    rows = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_NUMERICHOST
    )
    return [(kind, str(address[0])) for kind, _, _, _, address in rows]


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_look_up", _look_up)


@pytest.fixture(autouse=True)
async def nobody_came(trap: Trap) -> AsyncIterator[None]:
    trap.connections.clear()
    yield
    assert trap.connections == []


# P is the trap's port. Each would reach it, or a cloud's metadata, on a machine without a guard.
HOSTILE = [
    # this machine, written as usual
    "http://127.0.0.1:P/", "http://127.0.0.2:P/", "http://127.255.255.254:P/", "http://[::1]:P/",
    "http://0.0.0.0:P/", "http://[::]:P/", "http://localhost:P/", "http://LOCALHOST:P/",
    "http://localhost.:P/", "http://localhost.localdomain:P/", "http://a.localhost:P/",
    "http://ip6-localhost:P/", "http://127.0.0.1.:P/",
    # as resolvers read numbers: decimal, octal, hexadecimal, short, mixed, too large
    "http://2130706433:P/", "http://017700000001:P/", "http://0x7f000001:P/", "http://0x7F.1:P/",
    "http://0177.0.0.1:P/", "http://0177.0.0.01:P/", "http://00000177.0.0.1:P/", "http://127.1:P/",
    "http://127.0.1:P/", "http://0x7f.0x0.0x0.0x1:P/", "http://0x7f.0.0.0x1:P/", "http://0:P/",
    "http://127.0.0.001:P/", "http://6425673729:P/", "http://1:P/", "http://0x:P/",
    # IPv4 inside IPv6
    "http://[::ffff:127.0.0.1]:P/", "http://[::ffff:7f00:1]:P/", "http://[::ffff:0:127.0.0.1]:P/",
    "http://[::127.0.0.1]:P/", "http://[0:0:0:0:0:ffff:127.0.0.1]:P/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:P/", "http://[64:ff9b::7f00:1]:P/",
    "http://[64:ff9b::127.0.0.1]:P/", "http://[64:ff9b:1::7f00:1]:P/", "http://[2002:7f00:1::]:P/",
    "http://[2002:7f00:0001::1]:P/", "http://[2001:0:7f00:1::]:P/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:P/", "http://[::ffff:169.254.169.254]:P/",
    # link-local, with and without a zone, unique local, site-local, multicast, documentation
    "http://[fe80::1]:P/", "http://[fe80::1%25lo]:P/", "http://[fe80::1%lo]:P/",
    "http://[::1%25lo]:P/", "http://[::1%251]:P/", "http://[fc00::1]:P/", "http://[fd00::1]:P/",
    "http://[fec0::1]:P/", "http://[ff02::1]:P/", "http://[2001:db8::1]:P/", "http://[100::1]:P/",
    "http://[5f00::1]:P/", "http://[3fff::1]:P/",
    # private, shared, reserved, multicast, broadcast
    "http://10.0.0.1:P/", "http://172.16.0.1:P/", "http://172.31.255.254:P/",
    "http://192.168.0.1:P/", "http://100.64.0.1:P/", "http://100.127.255.254:P/",
    "http://169.254.1.1:P/", "http://192.0.0.8:P/", "http://192.88.99.1:P/", "http://198.18.0.1:P/",
    "http://224.0.0.1:P/", "http://239.255.255.250:P/", "http://240.0.0.1:P/",
    "http://255.255.255.255:P/", "http://0.1.2.3:P/",
    # clouds' metadata
    "http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/", "http://100.100.100.200/", "http://metadata/",
    # digits, dots and letters of other scripts; a soft hyphen; escapes
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11:P/", "http://127\u30020\u30020\u30021:P/",
    "http://127\uff0e0\uff0e0\uff0e1:P/", "http://127\uff610\uff610\uff611:P/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:P/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:P/",
    "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54:P/", "http://loc\u00adalhost:P/",
    "http://\u0660x7f.1:P/", "http://%31%32%37.0.0.1:P/", "http://127%2e0%2e0%2e1:P/",
    "http://localho%73t:P/", "http://xn--localhost-:P/",
    # who is the host?
    "http://example.com@127.0.0.1:P/", "http://127.0.0.1:P@example.com/",
    "http://user:secret@example.com/", "http://@127.0.0.1:P/", "http://:@127.0.0.1:P/",
    "http://example.com\\@127.0.0.1:P/", "http://127.0.0.1:P\\@example.com/",
    "http://127.0.0.1:P#@example.com/", "http://127.0.0.1:P?@example.com/", "http:///127.0.0.1:P/",
    "http://127.0.0.1 :P/", "http://127.0.0.1\t:P/", "http://example.com\r\nHost: 127.0.0.1:P/",
    "http:127.0.0.1:P/", "//127.0.0.1:P/", "http://[::1:P/", "http://[127.0.0.1]:P/",
    # other schemes and odd ports
    "ftp://127.0.0.1:P/", "file:///etc/passwd", "gopher://127.0.0.1:P/_GET", "dict://127.0.0.1:P/",
    "ws://127.0.0.1:P/", "unix:///var/run/docker.sock", "javascript:alert(1)", "data:,hi", "",
    "http://8.8.8.8:22/", "http://8.8.8.8:25/", "http://8.8.8.8:6379/", "http://8.8.8.8:11211/",
    "http://8.8.8.8:0/", "http://8.8.8.8:65536/", "http://8.8.8.8:-1/", "http://8.8.8.8:x/",
]  # fmt: skip


def test_there_are_enough() -> None:
    """At least sixty are promised; none may stand twice."""
    assert len(HOSTILE) == len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("written", HOSTILE)
async def test_hostile_addresses_are_refused_and_never_called(trap: Trap, written: str) -> None:
    url = written.replace(":P", f":{trap.port}")
    with pytest.raises(Invalid):
        await require_callable(url, HTTP)
    with pytest.raises(Invalid):
        await post(url, b"{}", {}, policy=HTTP, timeout=5)
    with pytest.raises(Invalid):
        await fetch(url, policy=HTTP, timeout=5)


@pytest.mark.parametrize("written", [each for each in HOSTILE if "8.8.8" not in each])
async def test_nor_where_the_first_look_is_passed(
    trap: Trap, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever reading an address overlooks, the gate at the socket must see."""
    url = written.replace(":P", f":{trap.port}")
    monkeypatch.setattr(outbound, "read_url", lambda text, _: guard._parsed(text))
    with pytest.raises((DomainError, ValueError)):
        await post(url, b"{}", {}, policy=HTTP, timeout=5)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "https://me:it@hooks.example.com/",
        "https://hooks.example.com:80000/", "https://" + "a" * 2000 + ".com/", "https://a b.com",
        "https://-a.example.com/", "https://a..example.com/", "hooks.example.com", "https://",
    ],
)  # fmt: skip
def test_in_production_it_must_be_https_and_plain(url: str) -> None:
    with pytest.raises(Invalid):
        read_url(url, PUBLIC)


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("https://hooks.example.com/a?b=c#d", "https://hooks.example.com/a?b=c"),
        ("https://HOOKS.example.com:8443/", "https://hooks.example.com:8443/"),
        ("https://bäckerei.example.com/", "https://xn--bckerei-5wa.example.com/"),
        ("https://93.184.215.14/", "https://93.184.215.14/"),
        ("https://[2606:4700::1111]:443/", "https://[2606:4700::1111]/"),
    ],
)
def test_good_addresses_are_called_as_they_are_read(written: str, called: str) -> None:
    assert str(read_url(written, PUBLIC)) == called


class Names:
    """A name server of which each answer is set; the last one stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = []
        self.asked: list[str] = []
        monkeypatch.setattr(guard, "_look_up", self._look_up)

    async def _look_up(self, host: str, port: int, family: int) -> list[tuple[int, str]]:
        self.asked.append(host)
        now = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in now]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["2606:4700::1111", "::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["fe80::1%1"], ["169.254.169.254"], ["0.0.0.0"],
    ],
)  # fmt: skip
async def test_a_name_is_refused_if_one_of_its_addresses_is_not_public(
    trap: Trap, names: Names, addresses: list[str]
) -> None:
    names.answers = [addresses]
    url = f"http://hooks.example.com:{trap.port}/"
    with pytest.raises(Invalid):
        await require_callable(url, HTTP)
    with pytest.raises(Invalid):
        await post(url, b"{}", {}, policy=HTTP, timeout=5)


async def test_a_name_that_changes_after_the_check_is_refused(trap: Trap, names: Names) -> None:
    names.answers = [["93.184.215.14"], ["127.0.0.1"]]
    url = f"http://hooks.example.com:{trap.port}/"
    await require_callable(url, HTTP)
    with pytest.raises(Invalid):
        await post(url, b"{}", {}, policy=HTTP, timeout=5)
    assert names.asked == ["hooks.example.com"] * 2


async def test_the_address_that_was_checked_is_the_one_that_is_dialled(
    trap: Trap, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is asked for once for each connection: a second answer has no part in it."""
    dialled: list[str] = []

    def no_socket(info: tuple[Any, ...], *_: Any) -> socket.socket:
        dialled.append(info[4][0])
        raise OSError

    monkeypatch.setattr(outbound, "_open", no_socket)
    names.answers = [["93.184.215.14"], ["127.0.0.1"]]
    with pytest.raises(Unavailable):
        await post(f"http://hooks.example.com:{trap.port}/", b"{}", {}, policy=HTTP, timeout=5)
    assert dialled == ["93.184.215.14"]
    assert names.asked == ["hooks.example.com"]


async def test_names_that_are_nowhere_and_names_inside_are_told_alike(names: Names) -> None:
    said = set()
    for answer in (["10.0.0.1"], []):
        names.answers = [answer]
        with pytest.raises(Invalid) as error:
            await require_callable("https://hooks.example.com/", PUBLIC)
        said.add(error.value.message)
    assert len(said) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(trap: Trap, status: int) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} Go\r\nLocation: http://127.0.0.1:{trap.port}/\r\n"
        writer.write(f"{head}Content-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        answer = await post(url, b"{}", {}, policy=OWN)
        assert (answer.status, answer.location) == (status, f"http://127.0.0.1:{trap.port}/")
        with pytest.raises(Unavailable, match="has moved to"):
            await fetch(url, policy=OWN)


def test_whoever_opens_the_board_to_its_network_opens_no_metadata() -> None:
    for host in ("169.254.169.254", "[fe80::1]", "[64:ff9b::7f00:1]", "224.0.0.1", "0.0.0.0"):
        with pytest.raises(Invalid):
            read_url(f"http://{host}/", OWN)
    for host in ("127.0.0.1:8080", "10.1.2.3", "[::1]", "[fd12::1]", "receiver:8080"):
        read_url(f"http://{host}/", OWN)


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


async def test_names_that_hang_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    go_on = threading.Event()

    def hang(host: str, *_: Any) -> list[Any]:
        asked.append((host, threading.current_thread().name))
        go_on.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]

    def look_at(*numbers: int) -> "asyncio.Future[list[BaseException | None]]":
        calls = (require_callable(f"https://{n}.example.com/", PUBLIC) for n in numbers)
        return asyncio.gather(*calls, return_exceptions=True)

    monkeypatch.setattr(guard, "_look_up", look_up)
    monkeypatch.setattr(guard, "RESOLVE_SECONDS", 30.0)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", hang)
        hanging = look_at(*range(guard.LOOK_UPS))
        await until(lambda: len(asked) == guard.LOOK_UPS)
        patched.setattr(guard, "RESOLVE_SECONDS", 0.1)
        assert {type(end) for end in await look_at(*range(100, 105))} == {Invalid}
        patched.setattr(guard, "RESOLVE_SECONDS", 30.0)
        go_on.set()
        assert set(await hanging) == {None}
        await require_callable("https://well.example.com/", PUBLIC)
    expected = [*(f"{n}.example.com" for n in range(guard.LOOK_UPS)), "well.example.com"]
    assert [host for host, _ in asked] == expected, "who waited in vain is not asked for later"
    assert {thread.split("_")[0] for _, thread in asked} == {"names"}
