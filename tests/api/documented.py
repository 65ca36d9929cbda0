"""Holds every error that a test meets against the documentation of the operation that gave it."""

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import httpx2

from jobboard.api.openapi import App

Hook = Callable[[httpx2.Response], Awaitable[None]]
OURS = {"internal_error"}  # a crash; no operation plans for it


def must_be_documented(app: App) -> Hook:
    """A hook for a client of `app`."""

    async def look(response: httpx2.Response) -> None:
        method = response.request.method
        problem = response.headers.get("content-type") == "application/problem+json"
        if not problem or method == "HEAD":
            return
        await response.aread()
        code = response.json()["code"]
        operation = _operation(app, method.lower(), response.request.url.path)
        if operation is None or code in OURS:
            return
        told = _codes(app, operation["responses"].get(str(response.status_code), {}))
        assert code in told, f"{operation['operationId']} does not document {code}: {told}"

    return look


def _operation(app: App, method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _paths(app):
        if pattern.fullmatch(path):
            return operations.get(method)
    return None


@cache
def _paths(app: App) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Those with the fewest parameters first, as they are routed."""
    paths = sorted(app.openapi()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), value) for path, value in paths]


def _codes(app: App, answer: dict[str, Any]) -> set[str]:
    answer = resolved(app.openapi(), answer)
    content = answer.get("content", {}).get("application/problem+json", {})
    examples = [resolved(app.openapi(), one) for one in content.get("examples", {}).values()]
    return {one["value"]["code"] for one in examples}


def resolved(schema: dict[str, Any], thing: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` leads to, or the thing itself."""
    if "$ref" not in thing:
        return thing
    found: Any = schema
    for part in thing["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
