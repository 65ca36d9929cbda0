"""What the schema says of tokens: where an API key is as good, and where one is not needed."""

from collections.abc import Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext

from jobboard.accounts.scopes import OF_KEYS
from jobboard.api.deps import get_scoped_viewer

OAUTH2 = "OAuth2PasswordBearer"
API_KEY = "ApiKey"
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A company's key, `jb_...`, made with POST /api/v1/api-keys.",
}


def tell(schema: dict[str, Any], routes: Sequence[RouteContext]) -> None:
    """Name the second scheme, and for each operation all the ways in."""
    schema["components"].setdefault("securitySchemes", {})[API_KEY] = SCHEME
    open_too = _optional(routes)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            security = operation.get("security", [])
            scopes = {scope for way in security for scope in way.get(OAUTH2, ())}
            if scopes and scopes <= OF_KEYS:
                security.append({API_KEY: []})
            if (method.upper(), path) in open_too:
                security.append({})


def _optional(routes: Sequence[RouteContext]) -> set[tuple[str, str]]:
    """The operations that only look who asks."""
    return {
        (method, route.path or "")
        for route in routes
        if isinstance(route.original_route, APIRoute) and _only_looks(route.dependant)
        for method in route.methods or ()
    }


def _only_looks(dependant: Dependant) -> bool:
    return any(each.call is get_scoped_viewer for each in dependant.dependencies)
