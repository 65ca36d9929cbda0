"""Routes that go wrong on purpose, beside those of the real app."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm.exc import StaleDataError

from jobboard import errors
from jobboard.schema import Input

router = APIRouter()
RAISES: dict[str, Exception] = {
    "invalid": errors.Invalid.field("salary/min", "Too little.", code="too_little"),
    "unauthenticated": errors.Unauthenticated(),
    "forbidden": errors.Forbidden(),
    "not_found": errors.NotFound("No such job.", code="job_not_found"),
    "conflict": errors.Conflict(),
    "too_large": errors.TooLarge(),
    "unsupported": errors.UnsupportedMedia(),
    "rate_limited": errors.RateLimited(retry_after=17),
    "unavailable": errors.Unavailable(),
    "stale": StaleDataError("UPDATE statement on table 'jobs' expected to update 1 row(s)"),
    "refused": ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"),
    "several": OSError("Multiple exceptions: [Errno 111] Connect call failed"),
    "timeout": TimeoutError(),
    "missing_file": FileNotFoundError("/srv/secret/place"),
    "crash": RuntimeError("postgresql://jobboard:hunter2@db/jobboard is my secret"),
}


class Pay(Input):
    """Part of Thing."""

    min: int = Field(ge=0)


class Thing(Input):
    """What echo takes."""

    name: str = Field(min_length=2, max_length=20)
    pay: Pay | None = None
    tags: list[str] = []
    extra: dict[str, Any] = {}


@router.get("/api/probe/raise/{kind}")
@router.get("/probe/raise/{kind}")
async def raise_it(kind: str) -> None:
    raise RAISES[kind].with_traceback(None)


@router.post("/api/probe/echo")
async def echo(thing: Thing) -> Thing:
    return thing


@router.post("/api/probe/form")
async def form(thing: Annotated[Thing, Form()]) -> Thing:
    return thing


@router.get("/api/probe/things/{number}")
async def read_thing(
    number: Annotated[int, Path(ge=1)], limit: Annotated[int, Query(le=100)] = 20
) -> dict[str, int]:
    return {"number": number, "limit": limit}


@router.delete("/api/probe/things/{number}")
async def delete_thing(number: int) -> None:
    return None


@router.post("/api/probe/body")
async def body_size(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@router.post("/api/probe/stream", max_body_size=64 * 1024 * 1024)
async def stream_in(request: Request) -> dict[str, int]:
    return {"bytes": sum([len(piece) async for piece in request.stream()])}


@router.post("/api/probe/upload")
async def upload_size(file: Annotated[UploadFile, File()]) -> dict[str, int]:
    return {"bytes": len(await file.read())}


@router.get("/api/probe/text")
async def long_text(size: int) -> JSONResponse:
    return JSONResponse({"text": "jobs " * (size // 5)})


@router.get("/api/probe/stream")
async def stream(pieces: int, pause: float = 0) -> StreamingResponse:
    async def produce() -> AsyncGenerator[bytes]:
        for number in range(pieces):
            yield b"piece %d\n" % number
            await asyncio.sleep(pause)

    return StreamingResponse(produce(), media_type="text/plain")


@router.get("/api/probe/breaks-off")
async def breaks_off() -> StreamingResponse:
    async def produce() -> AsyncGenerator[bytes]:
        yield b"half of it"
        raise RuntimeError("in the middle")

    return StreamingResponse(produce(), media_type="text/plain")


@router.get("/api/probe/slow")
async def slow(seconds: float) -> dict[str, float]:
    await asyncio.sleep(seconds)
    return {"slept": seconds}


@router.get("/api/probe/who")
async def who(request: Request) -> dict[str, Any]:
    request.state.person_id = "0199-a-person"
    return {
        "client": request.client.host if request.client else None,
        "scheme": request.url.scheme,
        "request_id": request.state.request_id,
    }


@router.get("/api/probe/own-policy")
async def own_policy() -> HTMLResponse:
    return HTMLResponse("x", headers={"Content-Security-Policy": "sandbox"})


@router.get("/api/probe/sql")
async def run_sql(request: Request, statement: str) -> dict[str, str]:
    async with request.app.state.engines.database.transaction() as session:
        return {"answer": str(await session.scalar(text(statement)))}
