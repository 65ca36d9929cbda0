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
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"]["4XX"] = _problem("What we cannot do as you asked.")
                operation["responses"]["503"] = _problem("An engine does not answer; try again.")
        return schema


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": REF + "Problem"}}}
    return {"description": description, "content": content}
