"""What the schema says of tokens: where an API key is as good, and where one is not needed."""

from collections.abc import Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext

from jobboard.accounts.scopes import OF_KEYS
from jobboard.api.deps import get_scoped_viewer

OAUTH2 = "OAuth2PasswordBearer"
ACCESS_TOKEN = "AccessToken"
API_KEY = "ApiKey"
DESCRIPTIONS = {
    OAUTH2: "Your e-mail address and password. Leave client and secret empty; without a chosen "
    "scope the token is good for all that you may.",
    ACCESS_TOKEN: "An `access_token` that you have. With two-step log-in this is the way: get one "
    "with POST /api/v1/auth/token and its field `otp`, and paste it here.",
    API_KEY: "A company's key, `jb_...`, made with POST /api/v1/api-keys.",
}


def tell(schema: dict[str, Any], routes: Sequence[RouteContext]) -> None:
    """Name the other schemes, and for each operation all the ways in."""
    schemes = schema["components"].setdefault("securitySchemes", {})
    for name, description in DESCRIPTIONS.items():
        scheme = schemes.setdefault(name, {"type": "http", "scheme": "bearer"})
        scheme["description"] = description
    open_too = _optional(routes)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            security = operation.get("security", [])
            scopes = {scope for way in security for scope in way.get(OAUTH2, ())}
            if scopes:
                security.append({ACCESS_TOKEN: []})
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
