"""What a stranger asks of an operation, put into its schema: who may use it, with what to log in,
examples of what is sent and answered, and every error with its code.

An operation says what is its own (`v1/answers.py`); what follows from what it takes is added here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext

from jobboard.api import deps
from jobboard.api.openapi_security import API_KEY, OAUTH2
from jobboard.api.problems import PROBLEMS, example
from jobboard.api.versions import Told, Version

Schema = dict[str, Any]

TOKEN = (
    "unauthenticated",
    "token_expired",
    "token_invalid",
    "login_ended",
    "key_malformed",
    "key_unknown",
    "key_revoked",
    "key_expired",
    "key_rests",
)
JSON = "application/json"
SUCCESS = {
    "200": "Done. The answer:",
    "201": "Made. The answer:",
    "202": "Taken; it will be done in a moment.",
    "204": "Done. There is no body.",
}
# Answers that look the same wherever they can come: told once.
SHARED: dict[tuple[str, ...], str] = {
    TOKEN: "Unauthenticated",
    ("insufficient_scope", "second_factor_required"): "Refused",
    ("malformed_json", "bad_request"): "Unreadable",
    ("unsupported_media_type",): "UnsupportedMedia",
    ("too_large",): "TooLarge",
    ("invalid",): "Invalid",
    ("unavailable",): "Unavailable",
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
# What asks admins to have set up two-step log-in.
ENROLLED = {deps.get_scoped_viewer, deps.get_actor_alone}
NOTHING = Told("", ())
PAGE = re.compile(r"Page_(\w+)_$")


def tell(schema: Schema, routes: Sequence[RouteContext], version: Version) -> None:
    """Complete what `schema` says of the operations of one version.

    Comes after `openapi_security.tell`, which names the ways in."""
    contexts = {
        f"{method} {route.path}": route for route in routes for method in route.methods or ()
    }
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if not path.startswith(f"{version.prefix}/"):
                continue
            name = f"{method.upper()} {path}"
            own = version.told.get(f"{method.upper()} {path.removeprefix(version.prefix)}", NOTHING)
            calls = set(_calls(contexts[name].dependant))
            _tell_who(operation, own)
            _show(operation, version.examples)
            common = _common(operation, calls, schema["components"]["schemas"])
            _tell_errors(schema["components"], operation, [*common, *own.codes])


def _calls(dependant: Dependant) -> Iterator[Any]:
    """All that FastAPI calls before the endpoint."""
    for needed in dependant.dependencies:
        yield needed.call
        yield from _calls(needed)


def _tell_who(operation: Schema, own: Told) -> None:
    ways = operation.get("security", [])
    scopes = [f"`{scope}`" for way in ways for scope in way.get(OAUTH2, ())]
    text = f"**Who may:** {own.who}"
    if scopes:
        text += f" The token needs the scope {', '.join(scopes)}"
        text += "; an API key can have it." if {API_KEY: []} in ways else "."
    if own.who:
        description = operation.get("description", "")
        operation["description"] = f"{description}\n\n{text}".strip()


def _show(operation: Schema, examples: Mapping[str, Any]) -> None:
    """Examples of what is sent, and of what a success answers."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _exemplify(media, examples)
    for status, response in operation["responses"].items():
        if status in SUCCESS:
            response["description"] = SUCCESS[status]
            for media in response.get("content", {}).values():
                _exemplify(media, examples)


def _exemplify(media: Schema, examples: Mapping[str, Any]) -> None:
    name = _name(media)
    page = PAGE.match(name)
    if page and page[1] in examples:
        media["example"] = {"items": [examples[page[1]]], "next_cursor": None}
    elif name in examples:
        media["example"] = examples[name]


def _name(media: Schema) -> str:
    """Of the schema that it refers to."""
    return media.get("schema", {}).get("$ref", "").rpartition("/")[2]


def _common(operation: Schema, calls: set[Any], schemas: Schema) -> Iterator[str]:
    """The codes that follow from what an operation takes."""
    yield from ("invalid", "rate_limited", "unavailable")
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        yield from ("too_large", "unsupported_media_type")
        yield from ("malformed_json", "bad_request") if JSON in body else ("bad_request",)
    if operation.get("security"):
        yield from (*TOKEN, "insufficient_scope")
        if ENROLLED & calls:
            yield "second_factor_required"
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    for media in body.values():
        names |= set(schemas[_name(media)].get("properties", ())) & {"version"}
    if "cursor" in names:
        yield "invalid_cursor"
    if "version" in names or "If-Match" in names:
        yield "edited_meanwhile"
    if "If-Match" in names:
        yield "412:edited_meanwhile"
    if "Idempotency-Key" in names:
        yield from ("idempotency_key_reused", "idempotency_key_in_use")


def _tell_errors(components: Schema, operation: Schema, codes: list[str]) -> None:
    responses = operation["responses"]
    for status, names in _by_status(codes).items():
        if status != 429:  # told by all of /api alike
            responses[str(status)] = _answer(components, status, names)
    operation["responses"] = {status: responses[status] for status in sorted(responses)}


def _by_status(codes: list[str]) -> dict[int, tuple[str, ...]]:
    statuses: dict[int, dict[str, None]] = {}
    for code in filter(None, codes):
        status, _, name = code.rpartition(":")
        statuses.setdefault(int(status or PROBLEMS[name].status), {})[name] = None
    return {status: tuple(names) for status, names in statuses.items()}


def _answer(components: Schema, status: int, codes: tuple[str, ...]) -> Schema:
    """The answer with one of these codes; a reference where many operations have it."""
    shown = {code: _example(components, status, code) for code in codes}
    answer = {
        "description": " · ".join(f"`{code}`" for code in codes),
        "content": {"application/problem+json": {"schema": PROBLEM, "examples": shown}},
    }
    if codes not in SHARED:
        return answer
    components["responses"][SHARED[codes]] = answer
    return {"$ref": f"#/components/responses/{SHARED[codes]}"}


def _example(components: Schema, status: int, code: str) -> Schema:
    name = code if status == PROBLEMS[code].status else f"{code}.{status}"
    components.setdefault("examples", {})[name] = {
        "summary": code,
        "description": PROBLEMS[code].advice,
        "value": example(code, status),
    }
    return {"$ref": f"#/components/examples/{name}"}
