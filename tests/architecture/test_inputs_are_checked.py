"""Every body is a `jobboard.schema.Input` or a file, so that none skips the check of its text, and
a number in JSON is a number."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from fastapi import FastAPI, UploadFile
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import ValidationError

from jobboard.schema import Input


def bodies(app: FastAPI) -> dict[str, list[type]]:
    """The types of the body parameters of each route of the API."""
    routes = list(iter_route_contexts(app.routes))
    return {
        f"{sorted(route.methods or ())} {route.path}": [
            parameter.field_info.annotation for parameter in route.dependant.body_params
        ]
        for route in routes
        if isinstance(route.original_route, APIRoute) and (route.path or "").startswith("/api/")
    }


def test_each_body_refuses_text_that_cannot_be_stored(app: FastAPI) -> None:
    unchecked = {
        name: types
        for name, types in bodies(app).items()
        if not all(issubclass(kind, Input | UploadFile) for kind in types)
    }
    assert not unchecked


def parts(annotation: Any) -> Iterator[Any]:
    """The plain types in an annotation."""
    if hasattr(annotation, "__metadata__"):
        yield from parts(annotation.__origin__)
    elif get_origin(annotation) in (Union, UnionType, list):
        for part in get_args(annotation):
            yield from parts(part)
    else:
        yield annotation


def exact_fields(model: type[Input]) -> Iterator[tuple[type[Input], str, type]]:
    """The whole numbers and the yes-or-no of an input, at any depth."""
    for name, info in model.model_fields.items():
        for part in parts(info.annotation):
            if part in (int, bool):
                yield model, name, part
            elif isinstance(part, type) and issubclass(part, Input):
                yield from exact_fields(part)


def test_numbers_in_json_are_numbers(app: FastAPI) -> None:
    kinds = {kind for types in bodies(app).values() for kind in types if issubclass(kind, Input)}
    fields = {field for kind in kinds for field in exact_fields(kind)}
    assert {name for _, name, _ in fields} >= {"version", "min", "expires_in_days", "suspended"}
    for model, name, kind in fields:
        for wrong in ("1", True if kind is int else 1):
            with pytest.raises(ValidationError) as refused:
                model.model_validate({name: wrong})
            found = {error["loc"]: error["type"] for error in refused.value.errors()}
            assert found.get((name,)) == f"{kind.__name__}_type", (model, name, wrong)


def test_what_json_schema_calls_whole_is_whole(app: FastAPI) -> None:
    kinds = {kind for types in bodies(app).values() for kind in types if issubclass(kind, Input)}
    fields = {field for kind in kinds for field in exact_fields(kind)}
    for model, name, _ in (field for field in fields if field[2] is int):
        with pytest.raises(ValidationError) as refused:
            model.model_validate({name: 7.0, "no such field": 1})
        assert name not in {error["loc"][0] for error in refused.value.errors()}, (model, name)
