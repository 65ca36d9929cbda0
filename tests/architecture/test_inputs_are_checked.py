"""Every body is a `jobboard.schema.Input` or a file, so that none skips the check of its text."""

from fastapi import FastAPI, UploadFile
from fastapi.routing import APIRoute, iter_route_contexts

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
