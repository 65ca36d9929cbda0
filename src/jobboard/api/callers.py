"""Who asks, as the rate limits count it: a key, a person, or an address."""

import hashlib
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from slowapi.util import get_remote_address
from starlette.requests import HTTPConnection

KEY = "key:"
MOST_CALLERS = 10_000  # that a process knows by their credential
STRANGER = "rate_limit_stranger"  # in the scope's state: a credential we do not know yet


class Callers:
    """Whose credential it is: learnt when a request was let in, so that the next one counts for
    the person or key before any database is asked.

    A credential that is not known counts for its address: making ones up gains nothing.
    """

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie
        self._known: dict[bytes, str] = {}

    def find(self, connection: HTTPConnection) -> tuple[str, bytes | None]:
        """Whom a request counts for, and its credential where that is a stranger's."""
        credential = self._credential(connection)
        if credential is None:
            return key_of_address(connection), None
        caller = self._known.get(credential)
        return (key_of_address(connection), credential) if caller is None else (caller, None)

    def learn(self, credential: bytes, state: dict[str, str]) -> None:
        """Remember who came with it, if the request found out."""
        key, person = state.get("key_id"), state.get("person_id")
        if key or person:
            while len(self._known) >= MOST_CALLERS:
                del self._known[next(iter(self._known))]
            self._known[credential] = f"{KEY}{key}" if key else f"person:{person}"

    def brings_credential(self, connection: HTTPConnection) -> bool:
        """Whether who asks says who they are; not whether it is true."""
        return bool(self._sent(connection))

    def _sent(self, connection: HTTPConnection) -> str | None:
        sent = connection.headers.get("authorization")
        if sent is None and "cookie" in connection.headers:
            sent = connection.cookies.get(self._cookie)
        return sent

    def _credential(self, connection: HTTPConnection) -> bytes | None:
        """A digest: the secret itself is not kept."""
        sent = self._sent(connection)
        if not sent:
            return None
        return hashlib.blake2b(sent.encode("latin-1", "replace"), digest_size=16).digest()


def key_of_address(connection: HTTPConnection) -> str:
    """The network that asks: an IPv4 address, or the /64 that one IPv6 customer holds."""
    return _network(get_remote_address(connection))  # ty: ignore[invalid-argument-type]


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return address
