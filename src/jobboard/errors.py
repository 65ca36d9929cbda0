"""Domain errors: a kind, a stable code and a message for a person. Never a status.

The doors translate: `api/errors.py` to problem details, `web/errors.py` to pages,
`cli/main.py` to exit codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one input. `pointer` is an RFC 6901 path such as `/salary/min`."""

    pointer: str
    message: str


class DomainError(Exception):
    """Base of all that the core refuses. `code` is promised to scripts, the message is not.

    `more` are facts for scripts beyond these; a problem's members (RFC 9457, section 3.2)."""

    code = "error"
    message = "Something went wrong."
    more: Mapping[str, int] = MappingProxyType({})

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.errors = errors
        super().__init__(self.message)


class Invalid(DomainError):
    """The input can never be accepted as it is."""

    code = "invalid"
    message = "Some of what you sent cannot be accepted."

    @classmethod
    def field(cls, name: str, message: str, *, code: str | None = None) -> "Invalid":
        """One field is wrong: `name` is its key in the body."""
        return cls(message, code=code, errors=(FieldError(f"/{name}", message),))


class Unauthenticated(DomainError):
    """We do not know who is asking."""

    code = "unauthenticated"
    message = "Please log in."


class Forbidden(DomainError):
    """We know who is asking, and they may not."""

    code = "forbidden"
    message = "You are not allowed to do this."


class InsufficientScope(Forbidden):
    """The token or key was made without the scope that this needs (RFC 6750, section 3.1)."""

    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token does not have the scope that this needs: {scope}.")
        self.scope = scope


class NotFound(DomainError):
    """There is no such thing, or none that this person may know of."""

    code = "not_found"
    message = "There is nothing here."


class Conflict(DomainError):
    """The request is fine, but not in the state that things are in now."""

    code = "conflict"
    message = "Things have changed in the meantime."


def require_version(held: int, read: int | None, what: str) -> None:
    """Raise Conflict where `what` has another version than was read; None does not ask."""
    if read is not None and read != held:
        raise Conflict(
            f"{what.capitalize()} was changed in the meantime. Load it again and look first.",
            code="edited_meanwhile",
        )


class TooLarge(DomainError):
    """More bytes than we take."""

    code = "too_large"
    message = "That is too large."


class UnsupportedMedia(DomainError):
    """A kind of content that we do not take."""

    code = "unsupported_media_type"
    message = "We cannot read this kind of content."


def in_words(seconds: int) -> str:
    """How long to wait, as people say it, and never less."""
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds > 1.5 * size:
            return f"{-(-seconds // size)} {unit}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"


class RateLimited(DomainError):
    """Too many tries; `retry_after` says in how many seconds to come back.

    `limit` is the one that was met: its name, how many it allows, and in how many seconds.
    """

    code = "rate_limited"

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: int,
        limit: tuple[str, int, int] | None = None,
    ) -> None:
        super().__init__(message or f"Too many tries. Try again in {in_words(retry_after)}.")
        self.retry_after = retry_after
        self.limit = limit


class Unavailable(DomainError):
    """An engine that this needs does not answer now."""

    code = "unavailable"
    message = "This part of the board is resting. Please try again in a moment."
