"""What `make check` holds against the committed schema of API v1: changes that break clients."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from scripts.openapi_changes import breaking_changes

Schema = dict[str, Any]
BAKER: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "kind": {"enum": ["bread", "cake"]},
        "pay": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "next": {"anyOf": [{"$ref": "#/components/schemas/Baker"}, {"type": "null"}]},
    },
    "required": ["name"],
}
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Baker"}}}}
DOCUMENT: Schema = {
    "paths": {
        "/bakers": {
            "post": {
                "parameters": [
                    {"in": "query", "name": "town", "required": False, "schema": {"type": "string"}}
                ],
                "requestBody": {**BODY, "required": True},
                "responses": {"201": {"description": "Made.", "content": BODY["content"]}},
            }
        }
    },
    "components": {"schemas": {"Baker": BAKER}},
}
Change = Callable[[Schema, Schema], object]  # of the operation, and of the baker


def changed(change: Change) -> list[str]:
    new = deepcopy(DOCUMENT)
    change(new["paths"]["/bakers"]["post"], new["components"]["schemas"]["Baker"])
    return breaking_changes(DOCUMENT, new)


def test_the_same_breaks_nobody() -> None:
    assert breaking_changes(DOCUMENT, deepcopy(DOCUMENT)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda _, baker: baker["properties"].update(town={"type": "string"}),
        lambda _, baker: baker["properties"]["name"].update(description="As on the door."),
        lambda operation, _: operation["parameters"].append(
            {"in": "query", "name": "since", "schema": {"type": "integer"}}
        ),
        lambda operation, _: operation["requestBody"].update(required=False),
        lambda operation, _: operation["responses"].update({"202": {"description": "Later."}}),
    ],
    ids=["a new field", "a description", "a new parameter", "a body to leave out", "a new answer"],
)
def test_what_only_adds_breaks_nobody(change: Change) -> None:
    assert changed(change) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _, baker: baker["properties"].pop("kind"), "body kind is gone"),
        (lambda _, baker: baker["properties"].pop("kind"), "answer 201 kind is gone"),
        (lambda _, baker: baker["required"].append("kind"), "body kind is required"),
        (lambda _, baker: baker["required"].clear(), "answer 201 name may be missing"),
        (lambda _, baker: baker["properties"]["name"].update(maxLength=10), "maxLength of 10"),
        (lambda _, baker: baker["properties"]["name"].update(minLength=2), "minLength of 2"),
        (lambda _, baker: baker["properties"]["name"].update(pattern="^B"), "has to fit ^B"),
        (lambda _, baker: baker["properties"]["kind"]["enum"].pop(), "does not take 'cake'"),
        (
            lambda _, baker: baker["properties"].update(pay={"type": "integer"}),
            "body pay is not taken as null",
        ),
        (
            lambda _, baker: baker["properties"]["pay"]["anyOf"].append({"type": "string"}),
            "answer 201 pay may be string",
        ),
        (lambda _, baker: baker["properties"]["name"].update(format="uuid"), "format uuid"),
        (lambda operation, _: operation["parameters"].clear(), "query parameter town is gone"),
        (
            lambda operation, _: operation["parameters"][0].update(required=True),
            "query parameter town is required",
        ),
        (lambda operation, _: operation["responses"].clear(), "answer 201 is gone"),
        (lambda operation, _: operation.update(security=[{"token": []}]), "needs a log-in"),
        (lambda operation, _: operation["requestBody"]["content"].clear(), "not taken as appl"),
    ],
)
def test_what_breaks_a_client_is_named(change: Change, says: str) -> None:
    changes = changed(change)
    assert any(says in line for line in changes), changes
    assert all(line.startswith("POST /bakers ") for line in changes)


def test_who_could_ask_as_nobody_is_not_asked_to_log_in() -> None:
    old, new = deepcopy(DOCUMENT), deepcopy(DOCUMENT)
    old["paths"]["/bakers"]["post"]["security"] = [{}, {"token": []}]
    new["paths"]["/bakers"]["post"]["security"] = [{"token": []}]
    assert breaking_changes(old, new) == ["POST /bakers needs a log-in"]
    assert breaking_changes(new, old) == []


def test_an_answer_told_in_one_place_is_the_same_answer() -> None:
    new = deepcopy(DOCUMENT)
    answers = new["paths"]["/bakers"]["post"]["responses"]
    new["components"]["responses"] = {"Made": answers["201"]}
    answers["201"] = {"$ref": "#/components/responses/Made"}
    assert breaking_changes(DOCUMENT, new) == []
    new["components"]["responses"]["Made"] = {"description": "Made."}
    assert "POST /bakers answer 201 is not given as application/json" in breaking_changes(
        DOCUMENT, new
    )


def test_an_operation_that_went_is_named() -> None:
    assert breaking_changes(DOCUMENT, DOCUMENT | {"paths": {}}) == ["POST /bakers is gone"]
