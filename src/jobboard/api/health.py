"""/healthz and /readyz: for the process manager and the load balancer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from jobboard.infra.engines import Engines

PING_SECONDS = 1.5
NEEDED = ("postgres", "redis")
router = APIRouter(tags=["health"])


@router.get("/healthz", summary="The process lives")
async def read_health() -> dict[str, str]:
    """200 as long as the event loop turns. Asks no engine."""
    return {"status": "ok"}


@router.get("/readyz", summary="The engines answer", responses={503: {"description": "Not ready"}})
async def read_readiness(request: Request) -> JSONResponse:
    """200 when PostgreSQL and Redis answer, else 503; `engines` says which do not.

    MongoDB only keeps hits, which may be dropped: without it the board is ready all the same.
    """
    engines: Engines = request.app.state.engines
    states = await check(engines)
    ready = all(states[name] == "up" for name in NEEDED)
    return JSONResponse(
        {"status": "ready" if ready else "not ready", "engines": states},
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": "5"}),
    )


async def check(engines: Engines) -> dict[str, str]:
    """Ask every engine at once: `up`, `down`, or `off` for one that is not configured."""
    pings: dict[str, Callable[[], Awaitable[Any]] | None] = {
        "postgres": engines.database.ping,
        "redis": engines.redis.ping,
        "mongo": engines.mongo.ping if engines.mongo else None,
    }
    states = await asyncio.gather(*(_state(ping) for ping in pings.values()))
    return dict(zip(pings, states, strict=True))


async def _state(ping: Callable[[], Awaitable[Any]] | None) -> str:
    if ping is None:
        return "off"
    try:
        async with asyncio.timeout(PING_SECONDS):
            await ping()
    except Exception:  # noqa: BLE001 - every kind of trouble means the same here
        return "down"
    return "up"
