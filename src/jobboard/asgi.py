"""The composition root of the web process: `uvicorn --factory jobboard.asgi:create_app`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from jobboard import __version__
from jobboard.api import health
from jobboard.infra.engines import open_engines
from jobboard.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole web app. Clients are made when it starts, in the loop that it runs in."""
    settings = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_engines(settings) as engines:
            app.state.engines = engines
            yield

    app = FastAPI(
        title=settings.board_name,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.include_router(health.router)
    return app
