"""Query parameters that nobody knows are refused: a misspelt filter must not show everything.

Only where an operation takes any. Pages ignore them, so that links with tracking parameters work.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from jobboard.errors import FieldError, Invalid
from jobboard.schema import pointer


async def check(connection: HTTPConnection) -> None:
    """Look at the names of the parameters. Raises Invalid with each that is not one of ours."""
    if not connection.scope["query_string"]:
        return
    known = _known(connection.scope["route"])
    unknown = [name for name in connection.query_params if name not in known]
    if known and unknown:
        errors = (FieldError(pointer(("query", name)), _hint(name, known)) for name in unknown)
        raise Invalid(errors=tuple(errors))


# By the id of a route, which cannot be hashed. It is held here, so that no other gets its id.
_found: dict[int, tuple[APIRoute, list[str]]] = {}


def _known(route: APIRoute) -> list[str]:
    """The names of a route's parameters, gathered once: that takes longer than all of the rest."""
    if id(route) not in _found:
        _found[id(route)] = route, sorted(set(_names(route.dependant)))
    return _found[id(route)][1]


def _names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (info.alias or name for name, info in model.model_fields.items())
        else:
            yield field.alias
    for needed in dependant.dependencies:
        yield from _names(needed)


def _hint(name: str, known: list[str]) -> str:
    close = get_close_matches(name[:50], known, n=1)
    if close:
        return f"There is no such parameter here. Did you mean {close[0]}?"
    return f"There is no such parameter here. There are: {', '.join(known)}."
