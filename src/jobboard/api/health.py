"""/healthz and /readyz: for the process manager and the load balancer."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from jobboard.infra.engines import Engines
from jobboard.infra.rates import exempt

PING_SECONDS = 1.5
NEEDED = ("postgres", "redis")
router = APIRouter(tags=["health"])
_late: set[asyncio.Task[Any]] = set()  # the loop itself holds tasks only weakly


@router.get("/healthz", summary="The process lives")
@exempt
async def read_health() -> dict[str, str]:
    """200 as long as the event loop turns. Asks no engine."""
    return {"status": "ok"}


@router.get("/readyz", summary="The engines answer", responses={503: {"description": "Not ready"}})
@exempt
async def read_readiness(request: Request) -> JSONResponse:
    """200 when PostgreSQL and Redis answer, else 503; `engines` says which do not.

    MongoDB only keeps hits, which may be dropped: without it the board is ready all the same. So it
    is without a replica of PostgreSQL, where one is set: the primary answers in its place.
    """
    engines: Engines = request.app.state.engines
    states = await check(engines)
    if engines.reads.replica is not None:
        states["replica"] = engines.reads.replica.state
    ready = all(states[name] == "up" for name in NEEDED)
    return JSONResponse(
        {"status": "ready" if ready else "not ready", "engines": states},
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": "5"}),
    )


async def check(engines: Engines) -> dict[str, str]:
    """Ask every engine at once: `up`, `down`, or `off` for one that is not configured."""
    pings: dict[str, Coroutine[Any, Any, Any] | None] = {
        "postgres": engines.database.ping(),
        "redis": engines.redis.execute_command("PING"),
        "mongo": engines.mongo.ping() if engines.mongo else None,
    }
    tasks = {name: asyncio.create_task(ping) for name, ping in pings.items() if ping}
    await asyncio.wait(tasks.values(), timeout=PING_SECONDS)
    return {name: _state(tasks[name]) if name in tasks else "off" for name in pings}


def _state(task: asyncio.Task[Any]) -> str:
    if not task.done():
        # Not awaited: a driver may take seconds to give up a connection that hangs.
        _late.add(task)
        task.add_done_callback(_forget)
        task.cancel()
        return "down"
    return "down" if task.exception() else "up"


def _forget(task: asyncio.Task[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, so that nothing warns of it
