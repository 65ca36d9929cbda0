"""The way to an OpenTelemetry collector. Loaded only where there is one: it is large."""

from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from jobboard import __version__

EXPORT_SECONDS = 3  # that the collector may take for a batch
QUERY = "url.query"


class WithoutQueries(SpanProcessor):
    """What people search for, and the tokens of mailed links, stay here."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002 - as it is asked
        """FastAPI sets it when its span begins."""
        if QUERY in (span.attributes or {}):
            span.set_attribute(QUERY, "REDACTED")


def make_provider(url: str, service: str) -> TracerProvider:
    """Sends batches by OTLP over HTTP. `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER` are heeded."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": __version__}),
        shutdown_on_exit=False,
    )
    endpoint = url.rstrip("/") + "/v1/traces"
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS)
    provider.add_span_processor(WithoutQueries())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
