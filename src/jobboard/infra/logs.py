"""Logs: structured, on standard error, one line each, without secrets.

The libraries' own logs (uvicorn, SQLAlchemy, asyncio) take the same way. What is bound with
`structlog.contextvars`, the request id above all, stands in every line.
"""

import logging
import re
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

HIDDEN = "***"
# Fields whose value is never shown, whatever it holds.
SECRET_FIELDS = ("password", "secret", "token", "authorization", "cookie", "api_key", "dsn")
# Secrets inside of other text: URLs with a password, form fields and headers, JWTs, API keys.
SECRET_TEXT = re.compile(
    r"(?P<url>://[^\s:/@]*:)[^\s/]+(?=@)"
    r"|(?P<field>(?:password|secret|token|authorization|cookie)[\\'\"]*\s*[=:]\s*[\\'\"]*)"
    r"(?:(?:bearer|basic)\s+)?[^\s\\'\"&,;]+"
    r"|(?P<bearer>bearer\s+)[^\s\\'\",;]+"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|\bjb_\w+",
    re.IGNORECASE,
)
# None of these in a line: no secret, and no need for the expression, which costs ten times more.
SIGNS = ("://", "password", "secret", "token", "authorization", "cookie", "bearer", "eyj", "jb_")
QUIET = {
    "uvicorn.access": logging.CRITICAL,  # jobboard.requests says it, with the request id
    "httpx2": logging.WARNING,
    "asyncio": logging.WARNING,
    "pymongo": logging.WARNING,
    "aiosmtplib": logging.WARNING,
    "starlette_admin": logging.WARNING,  # each list, with the names that were searched for
    # A ring that came while the worker was leaving: it is back in the queue, and was only a ring.
    "kombu.transport.virtual.base": logging.ERROR,
    "celery": logging.WARNING,  # each tick of the schedule; what was delivered, the worker says
}

# One list for good: loggers in use hold on to it, so that they follow a new configuration.
_processors: list[Processor] = []


def configure(format: Literal["text", "json"] = "text", *, level: int = logging.INFO) -> None:
    """Send all logs of the process to standard error, for people or for machines."""
    render = structlog.processors.JSONRenderer() if format == "json" else _for_people()
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Processor] = [
        structlog.processors.format_exc_info,
        hide_fields,
        _without_secrets(render),
    ]
    _processors[:] = [*before, *after]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, StandardError())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        # uvicorn has hung up handlers of its own before it called us.
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


class StandardError:
    """Whatever `sys.stderr` is when a line is written: loggers in use hold on to their file, and
    that of a moment may be closed by then.

    What cannot be written is lost: a full disk below the log is no reason to refuse a request.
    """

    def write(self, text: str) -> int:
        """As a file does it."""
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """The same."""
        with suppress(OSError):
            sys.stderr.flush()


def _for_people() -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), sort_keys=False, pad_event_to=24
    )


def hide_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Blank the fields that are named like secrets."""
    for name in event:
        if _is_secret(name):
            event[name] = HIDDEN
    return event


def _without_secrets(render: Processor) -> Processor:
    def processor(logger: Any, method: str, event: EventDict) -> str:
        return hide_text(str(render(logger, method, event)))

    return processor


def hide_text(line: str) -> str:
    """Blank what looks like a secret anywhere in a rendered line, tracebacks included."""
    lower = line.lower()
    return SECRET_TEXT.sub(_hide, line) if any(sign in lower for sign in SIGNS) else line


@lru_cache(maxsize=1024)
def _is_secret(field: str) -> bool:
    return any(word in field.lower() for word in SECRET_FIELDS)


def _hide(match: re.Match[str]) -> str:
    kept = next((part for part in match.groupdict().values() if part), "")
    return kept + HIDDEN
