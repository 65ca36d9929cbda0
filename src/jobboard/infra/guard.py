"""Which addresses we connect to: the one guard against being sent into our own network (SSRF).

An address is read by the parser of the client that will call it, so that both see the same host.
A name is resolved once; if any of its addresses is not public there is no connection; and the
socket is opened to the checked address, so that a second answer of the name server cannot lead
elsewhere (`outbound.py`).
"""

import asyncio
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from yarl import URL

from jobboard.errors import Invalid
from jobboard.settings import Settings

RESOLVE_SECONDS = 5.0
# A look-up cannot be broken off. Names that hang hold threads of nobody but each other.
LOOK_UPS = 16
_names = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="names")
MAX_URL = 2000
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
# One's own machine and network. Never link-local: that is where clouds keep their credentials.
_OWN_NETWORKS = """
    127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 ::1/128 fc00::/7
"""
_OWN = [ip_network(network) for network in _OWN_NETWORKS.split()]
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # what resolvers may read as IPv4
_OWN_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa", "lan", "intranet")
# Ports at which no web server answers, of those above the system's (Fetch Standard, "bad port").
_BAD_PORTS = {
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080, 11211,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be called: `http` without TLS; `private`, the addresses of one's own network."""

    http: bool = False
    private: bool = False


PUBLIC = Policy()


def policy_of(settings: Settings) -> Policy:
    """For webhooks: https to public addresses in production, unless the board says otherwise."""
    private = settings.webhook_private == "on"
    return Policy(http=private or not settings.production, private=private)


class Refused(Exception):
    """An address that we do not connect to."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet."""
    if isinstance(address, IPv6Address) and address not in _OPEN_V6:
        return False
    return not _within(address, _CLOSED)


def _within(address: IPv4Address | IPv6Address, networks: list) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def require_allowed(host: str, policy: Policy) -> None:
    """Raise Refused unless this IP address may be connected to."""
    address = ip_address(host.split("%")[0])
    if not is_public(address) and not (policy.private and _within(address, _OWN)):
        raise Refused(host)


def read_url(text: str, policy: Policy = PUBLIC) -> URL:
    """An address as the client will call it. Raises Invalid for what never may be.

    A name can still lead into a private network: `addresses_of` finds out.
    """
    url = _parsed(text)
    schemes = ("https", "http") if policy.http else ("https",)
    if url.scheme not in schemes or not url.raw_host:
        raise Invalid(f"{text} cannot be called: the address must start with {schemes[0]}://.")
    if url.raw_user is not None or url.raw_password is not None:
        raise Invalid("An address with a user name or password in it is not called.")
    _require_port(url)
    _require_host(url.raw_host, policy)
    return url.with_fragment(None)


def _parsed(text: str) -> URL:
    if len(text) > MAX_URL:
        raise Invalid(f"An address has at most {MAX_URL} characters.")
    try:
        if not text.isprintable() or " " in text or "\\" in text:
            raise ValueError(text)
        url = URL(text)
        _ = url.port  # read only when asked for
    except ValueError:
        raise Invalid(f"{text} is not a web address. It starts with https://.") from None
    return url


def _require_port(url: URL) -> None:
    port = url.port
    if url.explicit_port is None or port in (443, 80):
        return
    if port is None or port < 1024 or port in _BAD_PORTS:
        raise Invalid(f"Port {port} is not called. Use 443, or one from 1024 on.")


def _require_host(host: str, policy: Policy) -> None:
    host = host.lower()
    try:
        require_allowed(host, policy)
    except Refused:
        raise _private(host) from None
    except ValueError:
        if "%" in host or ":" in host or _NUMBER.fullmatch(host.rstrip(".")):
            raise Invalid(
                f"{host} is not the usual form of an address. Write a name, or four numbers."
            ) from None
        if not _NAME.fullmatch(host) or len(host) > 253:
            raise Invalid(f"{host} is not the name of a host.") from None
        own = "." not in host or host.endswith(tuple(f".{name}" for name in _OWN_NAMES))
        if own and not policy.private:
            raise _private(host) from None


def _private(host: str) -> Invalid:
    """One sentence for names that are nowhere and for names inside, so that nobody learns which
    names our own network has."""
    return Invalid(
        f"{host} does not lead to a public address. Only public ones are called: check the "
        "spelling, or use an address that the internet can reach.",
        code="address_not_public",
    )


async def addresses_of(
    host: str, port: int, policy: Policy, family: int = socket.AF_UNSPEC
) -> list[tuple[int, str]]:
    """The checked addresses of a host, each with its family. Raises Refused if one of them is not
    allowed, OSError if there is none."""
    found = await _look_up(host, port, family)
    if not found:
        raise OSError(host)
    for _, address in found:
        require_allowed(address, policy)
    return found


async def _look_up(host: str, port: int, family: int) -> list[tuple[int, str]]:
    """Raises TimeoutError, also where no thread was free in time: it is then not asked at all."""
    loop = asyncio.get_running_loop()
    kind, flags = socket.SOCK_STREAM, socket.AI_ADDRCONFIG
    async with asyncio.timeout(RESOLVE_SECONDS):
        rows = await loop.run_in_executor(
            _names, socket.getaddrinfo, host, port, family, kind, 0, flags
        )
    return [(version, str(address[0])) for version, _, _, _, address in rows]


async def require_callable(text: str, policy: Policy) -> None:
    """Raise Invalid unless this address may be called as things are now. Each connection asks
    again: the name may lead elsewhere by then."""
    url = read_url(text, policy)
    host = url.raw_host or ""
    try:
        await addresses_of(host, url.port or 443, policy)
    except (Refused, OSError, UnicodeError):
        raise _private(host) from None
