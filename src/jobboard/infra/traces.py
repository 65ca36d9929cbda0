"""Traces for an OpenTelemetry collector: one, from the request through its statements to what the
worker does of it. Only where `JOBBOARD_OTLP_URL` says whither; else nothing of it is even loaded.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Thread
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine, ExceptionContext, event

from jobboard import __version__
from jobboard.settings import PREFIX, Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

CLOSE_SECONDS = 2.0  # for the last spans; a collector that is gone must not hold up the end
PROPAGATOR = TraceContextTextMapPropagator()
KEY = "traceparent"


def traceparent() -> str:
    """Of what is done now, as W3C Trace Context writes it; empty where nothing is traced."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier)
    return carrier.get(KEY, "")


def name_request(request_id: str) -> None:
    """Lets one who has a request's id find its trace."""
    trace.get_current_span().set_attribute("jobboard.request_id", request_id)


class Traces:
    """One process's way to the collector."""

    def __init__(self, provider: "TracerProvider") -> None:
        self.provider = provider
        self._tracer = provider.get_tracer("jobboard", __version__)

    @classmethod
    def make(cls, settings: Settings, service: str) -> "Traces | None":
        """None without an address. Raises SettingsError where the libraries are not installed."""
        if not settings.otlp_url:
            return None
        try:
            from jobboard.infra.collector import make_provider  # an extra, and not for everybody
        except ImportError:
            raise SettingsError(
                f"{PREFIX}OTLP_URL needs more: install jobboard[traces], or leave it empty"
            ) from None
        return cls(make_provider(settings.otlp_url, service))

    def watch(self, engine: Engine) -> None:
        """A span for each statement, with its text and without its values."""

        def begin(*arguments: Any) -> None:
            statement, context = str(arguments[2]), arguments[4]
            context.jobboard_span = self._tracer.start_span(
                statement.split(maxsplit=1)[0].upper(),
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": "postgresql", "db.query.text": statement},
            )

        def end(*arguments: Any) -> None:
            arguments[4].jobboard_span.end()

        def fail(context: ExceptionContext) -> None:
            span = getattr(context.execution_context, "jobboard_span", None)
            if span is not None:  # None: there was no connection
                span.set_status(StatusCode.ERROR, type(context.original_exception).__name__)
                span.end()

        event.listen(engine, "before_cursor_execute", begin)
        event.listen(engine, "after_cursor_execute", end)
        event.listen(engine, "handle_error", fail)

    @contextmanager
    def work(self, name: str, parent: str) -> Generator[None]:
        """A span for a message, in the trace of the request that queued it. Of an error it has the
        type: the text of one from the database holds people's values."""
        with self._tracer.start_as_current_span(
            name,
            PROPAGATOR.extract({KEY: parent}),
            SpanKind.CONSUMER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)
                raise

    def close(self) -> None:
        """Send what is left, if the collector takes it soon."""
        ending = Thread(target=self.provider.shutdown, daemon=True)
        ending.start()
        ending.join(CLOSE_SECONDS)


def working(traces: Traces | None, name: str, parent: str) -> AbstractContextManager[None]:
    """`Traces.work`, or nothing."""
    return traces.work(name, parent) if traces else nullcontext()
