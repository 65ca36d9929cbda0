"""The open port of a web process, taken before anything else is started."""

import errno
import socket

from jobboard.infra.embedded import BoardError

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def listen(host: str, port: int, *, taken: str) -> socket.socket:
    """Take the port; `taken` ends the sentence where somebody has it. Raises BoardError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except PermissionError:
        raise BoardError(f"no right to open port {port}; choose a PORT above 1023") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BoardError(f"port {port} {taken}") from None
        raise BoardError(f"port {port} of {host}: {error.strerror}") from None
    # What is accepted inherits it. uvicorn takes a socket that it is handed for a Unix one and
    # would leave it out: from the second answer on, each on a connection came 40 ms late.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> tuple[str, int]:
    """Where we ourselves can call who listens there."""
    host, port = listener.getsockname()[:2]
    return ANYWHERE.get(host, host), port


def web_address(host: str, port: int) -> str:
    """The same, as a browser wants it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
