"""The composition root of the web process: `uvicorn --factory jobboard.asgi:create_app`."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig

from jobboard import __version__, web
from jobboard.analytics import events as event_log
from jobboard.analytics import hits as hit_log
from jobboard.analytics.events import Events
from jobboard.analytics.recorder import Recorder
from jobboard.analytics.salts import Salts
from jobboard.api import (
    callers,
    docs,
    errors,
    health,
    limits,
    media,
    metrics,
    parameters,
    v1,
    websocket,
)
from jobboard.api.guide import GUIDE, TAGS
from jobboard.api.hub import Hub
from jobboard.api.middleware import (
    Acquaint,
    Compress,
    Crashes,
    Guard,
    Head,
    Headers,
    Hosts,
    Identify,
    Observe,
    Proxies,
)
from jobboard.api.middleware.observe import QUIET
from jobboard.api.openapi import App
from jobboard.api.routes import RouteTable
from jobboard.api.versions import Version
from jobboard.infra import logs
from jobboard.infra.engines import open_engines
from jobboard.infra.traces import Traces
from jobboard.settings import PREFIX, Settings, SettingsError
from jobboard.web import cookies, data_admin
from jobboard.web import errors as web_errors

MEGABYTE = 1024 * 1024
NEEDED = ("secret_key", "database_url", "redis_url", "storage_url")
DOOR = [Depends(limits.check), Depends(media.check)]  # for every router, before anything else


def create_app(
    settings: Settings | None = None, versions: Sequence[Version] = (v1.VERSION,)
) -> App:
    """The whole web app. Clients are made when it starts, in the loop that it runs in.

    `versions` of the API are served side by side, the current one first.

    Raises SettingsError when the settings do not say where the engines are.
    """
    settings = settings or Settings.from_environment()
    _require(settings)
    logs.configure(settings.log_format)
    traces = Traces.make(settings, "jobboard-web")
    hits, events = Recorder("hits"), Recorder("events")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_engines(settings, traces) as engines:
            app.state.engines = engines
            app.state.hub = hub = Hub(engines)
            hub.start()
            app.state.events = Events(events, Salts(engines.redis))
            if engines.mongo is not None:
                database = engines.mongo.database
                hits.start(hit_log.shelf(database, ttl_days=settings.hits_ttl_days))
                events.start(event_log.shelf(database, ttl_days=settings.events_ttl_days))
            async with metrics.counting(app.state.metrics, engines, hub, hits, events) as tally:
                app.state.tally = tally
                try:
                    yield
                finally:
                    await asyncio.gather(hub.close(), hits.close(), events.close())

    app = App(
        title=settings.board_name,
        version=__version__,
        description=GUIDE,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # such a redirect would lead to whatever host was asked for
        openapi_url="/api/openapi.json",
        telemetry=_telemetry(traces),
    )
    app.state.hits = hits
    app.state.metrics = metrics.Metrics()
    app.state.callers = callers.Callers(cookies.cookie_name(cookies.LOGIN, settings))
    errors.install(app, web_errors.render)
    _add_middleware(app, settings)
    for router in (health.router, metrics.router, docs.router, websocket.router, *web.routers()):
        app.include_router(router, dependencies=DOOR)
    app.add_versions(versions, dependencies=[*DOOR, Depends(parameters.check)])
    app.router.routes.append(data_admin.mount(settings, limits.Counted))
    app.router.default = limits.Counted(app.router.default)
    return app


def _telemetry(traces: Traces | None) -> TelemetryConfig:
    """FastAPI's own span of each request, if somebody wants it; /metrics and the log are ours."""
    return TelemetryConfig(
        tracing=traces is not None,
        tracer_provider=traces.provider if traces else None,
        operation_spans=False,  # of its own steps: they cost more than they say
        exclude=lambda scope: scope["path"].startswith(QUIET),
        metrics=False,
        logs=False,
    )


def _require(settings: Settings) -> None:
    empty = [PREFIX + name.upper() for name in NEEDED if not getattr(settings, name)]
    if empty:
        raise SettingsError(f"set {', '.join(empty)}, or let `jobboard up` start it all")


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """From the inside out: what is added last sees a request first."""
    try:
        proxies = Proxies.parse(settings.trusted_proxies)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}TRUSTED_PROXIES: {error}") from None
    routes = RouteTable(app)
    upload_limit = max(settings.resume_max_mb, settings.image_max_mb) * MEGABYTE
    app.add_middleware(Crashes)
    app.add_middleware(Guard, routes=routes, upload_limit=upload_limit)
    app.add_middleware(Compress)
    if settings.production:
        app.add_middleware(Hosts, base_url=settings.base_url)
    app.add_middleware(Head)
    app.add_middleware(Acquaint, callers=app.state.callers)
    app.add_middleware(Headers, production=settings.production)
    app.add_middleware(Observe, routes=routes, metrics=app.state.metrics, hits=app.state.hits)
    app.add_middleware(Identify, proxies=proxies)
