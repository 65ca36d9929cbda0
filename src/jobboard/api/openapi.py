"""The schemas of the API, which tell of errors as `api/errors.py` answers them."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Request, params
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, Field

from jobboard.api import openapi_security, telling
from jobboard.api.links import add_links
from jobboard.api.problems import example
from jobboard.api.routes import Branch
from jobboard.api.versions import Version

REF = "#/components/schemas/"
# FastAPI's own description of a 422, which we never send.
NOT_OURS = ("HTTPValidationError", "ValidationError")


class ProblemField(BaseModel):
    """One input to blame: an RFC 6901 pointer into the body, or `/query/limit` and the like."""

    pointer: str
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` is stable, the texts are for people."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemField] = []
    shortfall: int = Field(0, description="Of `insufficient_funds`: what is missing, minor units.")


def _header(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


HEADERS = {
    "RateLimit-Policy": _header(
        'The limit that this counts under, as `"reads";q=600;w=60`: 600 requests in 60 seconds.'
    ),
    "RateLimit": _header('What is left of it, as `"reads";r=599;t=60`; `t` as RateLimit-Reset.'),
    "RateLimit-Limit": _header("Requests that the limit allows.", "integer"),
    "RateLimit-Remaining": _header("Requests that are left.", "integer"),
    "RateLimit-Reset": _header("Seconds until more are allowed.", "integer"),
}
QUOTA = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
ETAG = {"ETag": _header("Names exactly this answer, for If-None-Match and If-Match.")}
RATE_LIMITED = {
    "description": "More requests than your limit allows. Wait as long as Retry-After says.",
    "headers": {"Retry-After": _header("Seconds to wait.", "integer"), **QUOTA},
    "content": {
        "application/problem+json": {
            "schema": {"$ref": REF + "Problem"},
            "examples": {"rate_limited": {"value": example("rate_limited", 429)}},
        }
    },
}

IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` that you have: if nothing has changed since, the answer is a 304.",
    "schema": {"type": "string"},
}
NOT_MODIFIED = {
    "description": "You have it already: see If-None-Match.",
    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
}


class App(FastAPI):
    """FastAPI with versions of its API, whose schemas name our problems."""

    versions: Sequence[Version] = ()

    def include_router(self, router: APIRouter, *, prefix: str = "", **options: Any) -> None:
        """As FastAPI does it, so that a request does not try every route there is."""
        super().include_router(Branch(router, prefix), prefix=prefix, **options)

    def add_versions(
        self, versions: Sequence[Version], dependencies: Sequence[params.Depends]
    ) -> None:
        """Serve these, the current one first: its schema is the one at /api/openapi.json.

        `dependencies` are those of every operation.
        """
        self.versions = versions
        self._schemas: dict[str, dict[str, Any]] = {}
        for version in versions:
            for router in version.routers:
                self.include_router(router, prefix=version.prefix, dependencies=dependencies)
            self._add_schema_route(version)

    def openapi(self) -> dict[str, Any]:
        """The schema of the current version and of what has none, made once."""
        if self.openapi_schema is None:
            others = tuple(f"{version.prefix}/" for version in self.versions[1:])
            self.openapi_schema = self._document(
                [route for route in self._routes() if not _path(route).startswith(others)]
            )
        return self.openapi_schema

    def schema_of(self, version: Version) -> dict[str, Any]:
        """The schema of one version alone, made once."""
        start = f"{version.prefix}/"
        if version.name not in self._schemas:
            self._schemas[version.name] = self._document(
                [route for route in self._routes() if _path(route).startswith(start)]
            )
        return self._schemas[version.name]

    def _add_schema_route(self, version: Version) -> None:
        async def read_schema(_: Request) -> JSONResponse:
            return JSONResponse(self.schema_of(version))

        self.add_route(version.schema_path, read_schema, include_in_schema=False)

    def _routes(self) -> list[RouteContext]:
        return list(iter_route_contexts(self.routes))

    def _document(self, routes: Sequence[RouteContext]) -> dict[str, Any]:
        schema = get_openapi(
            title=self.title,
            version=self.version,
            description=self.description,
            routes=routes,
            tags=self.openapi_tags,
        )
        _tell_problems(schema)
        add_links(schema)
        openapi_security.tell(schema, routes)
        for version in self.versions:
            telling.tell(schema, routes, version)
        return schema


def _path(route: RouteContext) -> str:
    return route.path or ""


def _tell_problems(schema: dict[str, Any]) -> None:
    """Every operation answers errors as our problems, not as FastAPI's own."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in NOT_OURS:
        schemas.pop(name, None)
    schemas["ProblemField"] = ProblemField.model_json_schema()
    schemas["Problem"] = Problem.model_json_schema(ref_template=REF + "{model}")
    del schemas["Problem"]["$defs"]
    components = schema["components"]
    components["headers"] = HEADERS | ETAG
    components["responses"] = {"RateLimited": RATE_LIMITED, "NotModified": NOT_MODIFIED}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/api/v") and method == "get":
                _tell_of_tags(operation)
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = _problem("What we cannot do as you asked.")
            if path.startswith("/api/"):
                _tell_of_limits(operation["responses"])
            operation["responses"]["503"] = _problem("An engine does not answer; try again.")


def _tell_of_tags(operation: dict[str, Any]) -> None:
    answer = operation["responses"].get("200", {})
    if "application/json" in answer.get("content", {}):
        answer["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
        operation.setdefault("parameters", []).append(IF_NONE_MATCH)
        operation["responses"]["304"] = {"$ref": "#/components/responses/NotModified"}


def _tell_of_limits(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status.startswith("2"):
            response["headers"] = {**response.get("headers", {}), **QUOTA}
    responses["429"] = {"$ref": "#/components/responses/RateLimited"}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": REF + "Problem"}}}
    return {"description": description, "content": content}
