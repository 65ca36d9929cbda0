"""How every operation of the API is carried out: a router of `Route`s."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from jobboard.api import conditional, idempotency


class Route(APIRoute):
    """Knows ETags and Idempotency-Keys.

    What a handler returns is the whole answer, and the transaction of `deps.SessionDep` is still
    open: FastAPI ends it after this returns and before the answer leaves. So what is kept of an
    answer is kept if, and only if, its effect is.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, surrounded."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request = idempotency.watch(request)
            try:
                response = await handle(request)
            except idempotency.Replay as replay:
                return replay.response
            response = conditional.condition(request, response)
            await idempotency.keep(request, response)
            return response

        return answer


Router = partial(APIRouter, route_class=Route)
