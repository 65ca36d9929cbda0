"""The schema at /api/openapi.json, which tells of errors as `api/errors.py` answers them."""

from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel

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
RATE_LIMITED = {
    "description": "More requests than your limit allows. Wait as long as Retry-After says.",
    "headers": {"Retry-After": _header("Seconds to wait.", "integer"), **QUOTA},
    "content": {"application/problem+json": {"schema": {"$ref": REF + "Problem"}}},
}


class App(FastAPI):
    """FastAPI whose schema names our problems."""

    def openapi(self) -> dict[str, Any]:
        """The schema, made once."""
        schema = super().openapi()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" in schemas:
            return schema
        for name in NOT_OURS:
            schemas.pop(name, None)
        schemas["ProblemField"] = ProblemField.model_json_schema()
        schemas["Problem"] = Problem.model_json_schema(ref_template=REF + "{model}")
        del schemas["Problem"]["$defs"]
        schema["components"]["headers"] = HEADERS
        schema["components"]["responses"] = {"RateLimited": RATE_LIMITED}
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                operation["responses"]["4XX"] = _problem("What we cannot do as you asked.")
                if path.startswith("/api/"):
                    _tell_of_limits(operation["responses"])
                operation["responses"]["503"] = _problem("An engine does not answer; try again.")
        return schema


def _tell_of_limits(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status.startswith("2"):
            response["headers"] = {**response.get("headers", {}), **QUOTA}
    responses["429"] = {"$ref": "#/components/responses/RateLimited"}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": REF + "Problem"}}}
    return {"description": description, "content": content}
