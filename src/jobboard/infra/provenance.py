"""Where work comes from: the request that caused it, known to its messages, its log lines and its
statements."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from structlog.contextvars import bound_contextvars


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from; empty for the command line and for what the clock does."""

    address: str = ""  # the network, never the whole address
    request_id: str = ""


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def origin() -> Origin:
    """Of what is done now."""
    return _origin.get()


@contextmanager
def coming_from(here: Origin) -> Generator[None]:
    """What happens inside comes from there, and its log lines say so."""
    token = _origin.set(here)
    try:
        if here.request_id:
            with bound_contextvars(request_id=here.request_id):
                yield
        else:
            yield
    finally:
        _origin.reset(token)
