"""Fetching what an address names, without being sent into our own network (SSRF).

https only, no proxies, no redirects, a size and a time limit. A name is resolved once; if any of
its addresses is not public nothing is fetched; and the socket is opened to the checked address,
so that a second answer of the name server cannot lead elsewhere. Host and SNI stay the name.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, StreamReader, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from jobboard.errors import Invalid, TooLarge, Unavailable

MAX_BYTES = 64 * 2**20
TIMEOUT = 60.0  # seconds, for all of it
_CHUNK = 2**16

# IANA's special-purpose registries (RFC 6890 and after) and what carries an IPv4 address inside.
# `ipaddress.is_global` is not enough: it lets NAT64 and multicast through.
_CLOSED_NETWORKS = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
    198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20
"""
_CLOSED = [ip_network(network) for network in _CLOSED_NETWORKS.split()]
_OPEN_V6 = ip_network("2000::/3")  # the only part of IPv6 that is given out for the internet


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet."""
    if isinstance(address, IPv6Address) and address not in _OPEN_V6:
        return False
    return not any(address in network for network in _CLOSED if network.version == address.version)


class _Refused(Exception):
    """An address that we do not connect to."""


class _PublicResolver(AbstractResolver):
    """Resolves a name, and refuses it if one of its addresses is not public."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for result in found:
            _require_public(result["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


def _require_public(host: str) -> None:
    if not is_public(ip_address(host.split("%")[0])):
        raise _Refused(host)


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """The last gate: addresses written in the URL come by no resolver."""
    family, kind, protocol, _, address = info
    _require_public(address[0])
    return socket.socket(family, kind, protocol)


def _connector(allow_loopback: bool) -> TCPConnector:
    resolver = ThreadedResolver()
    if allow_loopback:
        return TCPConnector(resolver=resolver)
    return TCPConnector(
        resolver=_PublicResolver(resolver), socket_factory=_public_socket, use_dns_cache=False
    )


async def fetch(
    url: str,
    *,
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - of the whole exchange, kept by aiohttp
    allow_loopback: bool = False,
) -> bytes:
    """What stands at a public https address. `allow_loopback` is for tests: http to this machine.

    Raises Invalid (an address that we do not fetch), TooLarge, or Unavailable (it did not answer
    as it should), each with a message that says what to do.
    """
    _require_fetchable(url, allow_loopback)
    limits = ClientTimeout(total=timeout, connect=min(timeout, 10.0))
    try:
        async with (
            ClientSession(connector=_connector(allow_loopback), timeout=limits) as session,
            session.get(url, allow_redirects=False, headers=_HEADERS) as response,
        ):
            _require_ok(url, response.status, response.headers.get("Location"))
            return await _body(response.content, max_bytes)
    except _Refused:
        raise Invalid(
            f"{url} leads into a private network. Only public addresses are fetched: "
            "download the file and give its path instead."
        ) from None
    except TimeoutError:
        raise Unavailable(f"{url} took longer than {timeout:g} seconds. Try again later.") from None
    except (ClientError, OSError) as error:
        raise Unavailable(f"{url} cannot be reached: {error}. Check the address.") from None


_HEADERS = {"User-Agent": "jobboard", "Accept": "application/json, */*;q=0.5"}


def _require_fetchable(url: str, allow_loopback: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Invalid(f"{url} is not a web address. It starts with https://.") from None
    schemes = {"https", "http"} if allow_loopback else {"https"}
    if parts.scheme not in schemes or not host:
        raise Invalid(f"{url} cannot be fetched: the address must start with https://.")
    if parts.username or parts.password:
        raise Invalid(f"{host}: an address with a user name or password in it is not fetched.")


def _require_ok(url: str, status: int, location: str | None) -> None:
    if status == 200:
        return
    if location:
        raise Unavailable(f"{url} has moved to {location}. Give that address instead.")
    if status == 404:
        raise Unavailable(f"{url} does not exist (404). Check the name of the board in it.")
    raise Unavailable(f"{url} answered with status {status} instead of 200. Try again later.")


async def _body(content: StreamReader, max_bytes: int) -> bytes:
    parts, size = [], 0
    async for chunk in content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge(f"The answer is larger than {max_bytes // 2**20} MB, the most we fetch.")
        parts.append(chunk)
    return b"".join(parts)
