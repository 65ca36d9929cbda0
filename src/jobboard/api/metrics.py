"""/metrics for Prometheus: requests by route template, and what became of hits and events."""

from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from jobboard.analytics.recorder import Recorder
from jobboard.infra.rates import exempt

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
router = APIRouter(tags=["health"])


class Metrics:
    """The counters of one app, in a registry of its own."""

    def __init__(self, *recorders: Recorder) -> None:
        self.registry = CollectorRegistry()
        for recorder in recorders:
            self.registry.register(RecorderCollector(recorder))
        self._requests = Counter(
            "jobboard_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "jobboard_request_seconds",
            "Time from the request to the end of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. `route` is a template, so that the series stay few."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)


class RecorderCollector(Collector):
    """Reads a recorder when asked, so that counting costs a request nothing."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def collect(self) -> Iterator[Metric]:
        """received = stored + dropped + buffered."""
        each = self._recorder
        for name, value, text in (
            ("received", each.received, "Entries so far."),
            ("stored", each.stored, "Entries that MongoDB has, told anew or known before."),
            ("dropped", each.dropped, "Entries lost because MongoDB was gone for too long."),
        ):
            yield CounterMetricFamily(f"jobboard_{each.name}_{name}", text, value=value)
        yield GaugeMetricFamily(
            f"jobboard_{each.name}_buffered", "Entries that wait.", value=each.buffered
        )


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
@exempt
async def read_metrics(request: Request) -> Response:
    """For your Prometheus, not for the world: let your proxy refuse this address."""
    metrics: Metrics = request.app.state.metrics
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
