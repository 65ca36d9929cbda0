"""Finding the route of a request, and what the middleware must know of it."""

import re
from collections.abc import Iterator
from functools import cached_property

from fastapi import APIRouter, FastAPI
from fastapi.params import File
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope

UNMATCHED = "unmatched"


class Branch(APIRouter):
    """A router that is asked only about addresses that begin as one of its own does.

    FastAPI tries every route of every router in turn. With some two hundred of them that took more
    of the processor than everything else that a small request needs.
    """

    def __init__(self, router: APIRouter, prefix: str) -> None:
        vars(self).update(vars(router))  # its routes, and all that was said of them
        self._prefix = prefix

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the router itself would answer."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return super().matches(scope) if self._beginnings.match(path) else (Match.NONE, {})

    @cached_property
    def _beginnings(self) -> re.Pattern[str]:
        return re.compile("|".join({_beginning(self._prefix, route) for route in self.routes}))


def _beginning(prefix: str, route: BaseRoute) -> str:
    """A pattern of what its addresses have in common."""
    fixed, parameter, _ = (prefix + getattr(route, "path", "{")).partition("{")
    whole = not parameter and not isinstance(route, Mount)
    return re.escape(fixed) + ("$" if whole else "")


class RouteTable:
    """Read once, at the first request, when all routers are in."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def template(self, scope: Scope) -> str:
        """`/api/v1/jobs/{id}` for the request that was routed; `unmatched` where none fits."""
        return self._templates.get(id(scope.get("route")), UNMATCHED)

    def upload(self, scope: Scope) -> RouteContext | None:
        """The route of this request, not yet routed, if it takes files or more than most."""
        fitting = (route for route in self._uploads if route.matches(scope)[0] is Match.FULL)
        return next(fitting, None)

    @cached_property
    def _templates(self) -> dict[int, str]:
        # An included router keeps its routes without the prefix: only the context knows it all.
        return {
            id(context.original_route): context.path or UNMATCHED for context in self._contexts()
        }

    @cached_property
    def _uploads(self) -> list[RouteContext]:
        return [context for context in self._contexts() if _takes_uploads(context)]

    def _contexts(self) -> Iterator[RouteContext]:
        return iter_route_contexts(self._app.routes)


def _takes_uploads(route: RouteContext) -> bool:
    if not isinstance(route.original_route, APIRoute):
        return False
    files = (isinstance(body.field_info, File) for body in route.dependant.body_params)
    return bool(route.max_body_size) or any(files)
