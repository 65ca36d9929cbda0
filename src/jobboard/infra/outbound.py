"""Calling what an address names: fetching a list of jobs, posting a webhook.

No proxies, no redirects, no cookies, a size and a time limit, and no connection that `guard.py`
does not let through. Host and SNI stay the name; the socket goes to the checked address.
"""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    StreamReader,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult

from jobboard.errors import Invalid, TooLarge, Unavailable
from jobboard.infra.guard import PUBLIC, Policy, Refused, addresses_of, read_url, require_allowed
from jobboard.schema import made_storable

MAX_BYTES = 64 * 2**20
TIMEOUT = 60.0  # seconds, for all of it
POST_TIMEOUT = 15.0
KEPT_BYTES = 2000  # of an answer to a POST
_KEPT_SECONDS = 2.0  # that the body of such an answer may take once its status is there
_CHUNK = 2**16


class _Resolver(AbstractResolver):
    """Resolves a name by way of the guard."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await addresses_of(host, port, self._policy, family)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, address in found
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def _session(policy: Policy, limits: ClientTimeout, **options: Any) -> ClientSession:
    def checked_socket(info: tuple[Any, ...]) -> socket.socket:
        """The last gate: addresses written in the URL come by no resolver."""
        require_allowed(info[4][0], policy)
        return _open(info)

    connector = TCPConnector(
        resolver=_Resolver(policy),
        socket_factory=checked_socket,
        use_dns_cache=False,
        force_close=True,
    )
    return ClientSession(
        connector=connector, timeout=limits, cookie_jar=DummyCookieJar(), **options
    )


def _open(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, *_ = info
    return socket.socket(family, kind, protocol)


def _limits(timeout: float, connect: float) -> ClientTimeout:
    return ClientTimeout(total=timeout, connect=min(timeout, connect))


async def fetch(
    url: str,
    *,
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - of the whole exchange, kept by aiohttp
    policy: Policy = PUBLIC,
) -> bytes:
    """What stands at a public https address.

    Raises Invalid (an address that we do not fetch), TooLarge, or Unavailable (it did not answer
    as it should), each with a message that says what to do.
    """
    target = read_url(url, policy)
    try:
        async with (
            _session(policy, _limits(timeout, 10.0)) as session,
            session.get(target, allow_redirects=False, headers=_HEADERS) as response,
        ):
            _require_ok(url, response.status, _location(response))
            return await _body(response.content, max_bytes)
    except Refused:
        raise Invalid(
            f"{url} leads into a private network. Only public addresses are fetched: "
            "download the file and give its path instead."
        ) from None
    except TimeoutError:
        raise Unavailable(f"{url} took longer than {timeout:g} seconds. Try again later.") from None
    except (ClientError, OSError) as error:
        raise Unavailable(
            f"{url} cannot be reached: {made_storable(str(error))}. Check the address."
        ) from None


_HEADERS = {"User-Agent": "jobboard", "Accept": "application/json, */*;q=0.5"}


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a POST: the status, where a redirect points, and how the body begins."""

    status: int
    location: str | None
    text: str


async def post(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    timeout: float = POST_TIMEOUT,  # noqa: ASYNC109 - of the whole exchange, kept by aiohttp
    policy: Policy = PUBLIC,
) -> Answer:
    """Post bytes, and keep how the answer begins: at most KEPT_BYTES, as text that can be stored.

    Raises Invalid (an address that we do not call) or Unavailable (no answer), each with a message
    for the people of the receiver.
    """
    target = read_url(url, policy)
    try:
        async with (
            _session(policy, _limits(timeout, 5.0), auto_decompress=False) as session,
            session.post(target, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return Answer(
                response.status,
                _location(response),
                await _beginning(response),
            )
    except (Refused, ClientConnectorDNSError):  # nobody learns which names our own network has
        raise Invalid(f"{target.raw_host} does not lead to a public address.") from None
    except TimeoutError:
        raise Unavailable(f"No answer within {timeout:g} seconds.") from None
    except ClientConnectorCertificateError as error:
        raise Unavailable(f"Its certificate is not good: {_cause(error)}") from None
    except ClientConnectorError as error:
        raise Unavailable(f"It cannot be reached: {_cause(error)}") from None
    except (ClientError, OSError, ValueError) as error:
        raise Unavailable(f"It hung up, or sent no HTTP: {type(error).__name__}") from None


def _cause(error: ClientConnectorError | ClientConnectorCertificateError) -> str:
    """Without the address that was dialled: a name is resolved to several."""
    if isinstance(error, ClientConnectorCertificateError):
        return made_storable(str(error.certificate_error)[:200])
    number = error.os_error.errno
    return os.strerror(number) if number else type(error.os_error).__name__


def _location(response: ClientResponse) -> str | None:
    """Where a redirect points. aiohttp turns bytes that are no UTF-8 into halves of surrogates."""
    return made_storable(response.headers.get("Location", "")[:500]) or None


async def _beginning(response: ClientResponse) -> str:
    """The status says how it went: what is slow, broken or packed afterwards does not matter."""
    read = b""
    with suppress(TimeoutError, ClientError, OSError):
        async with asyncio.timeout(_KEPT_SECONDS):
            while len(read) < KEPT_BYTES and (part := await response.content.read(KEPT_BYTES)):
                read += part
    return read[:KEPT_BYTES].decode(errors="replace").replace("\0", "\ufffd")
