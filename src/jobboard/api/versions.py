"""Versions of the REST API side by side, and how an operation says that it will go.

docs/api-versioning.md has the policy. Each version is a list of routers under a prefix of its
own, with an OpenAPI document of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection

from jobboard.api.middleware.headers import add_header

POLICY = "/api/docs"  # what tells the developers of a client what to do instead


@dataclass(frozen=True, slots=True)
class Told:
    """Who may use an operation, in a sentence, and the codes of its own errors: each with its
    usual status, or with another one as `409:second_factor_required`."""

    who: str
    codes: tuple[str, ...]


def told(who: str, codes: str = "") -> Told:
    """`codes` are separated by spaces."""
    return Told(who, tuple(codes.split()))


@dataclass(frozen=True, slots=True)
class Version:
    """One version: `v1`, served under /api/v1.

    `told` is what its documentation says of `GET /jobs` and the like; `examples` are by the name
    of the schema that they show.
    """

    name: str
    routers: Sequence[APIRouter]
    told: Mapping[str, Told] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What its paths begin with."""
        return f"/api/{self.name}"

    @property
    def schema_path(self) -> str:
        """Where its OpenAPI document is."""
        return f"{self.prefix}/openapi.json"


def deprecated(*, since: date, sunset: date, successor: str | None = None) -> dict[str, Any]:
    """Arguments for the decorator of an operation that works until `sunset` and then goes.

    Every answer of it carries Deprecation (RFC 9745) and Sunset (RFC 8594), and links to
    `successor`, the path that takes its place. Raises ValueError where it would go before it
    was deprecated.
    """
    if sunset <= since:
        raise ValueError(f"sunset {sunset} must come after {since}, when it was deprecated")
    announced, ends = (datetime.combine(day, time(), UTC) for day in (since, sunset))
    links = [f'<{POLICY}>; rel="deprecation"; type="text/html"']
    if successor:
        links.append(f'<{successor}>; rel="successor-version"')

    async def announce(connection: HTTPConnection) -> None:
        add_header(connection.scope, "Deprecation", f"@{int(announced.timestamp())}")
        add_header(connection.scope, "Sunset", format_datetime(ends, usegmt=True))
        add_header(connection.scope, "Link", ", ".join(links))

    return {
        "deprecated": True,
        "dependencies": [Depends(announce)],
        "openapi_extra": {"x-sunset": sunset.isoformat()},
    }
