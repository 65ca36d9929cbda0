"""/metrics for Prometheus: requests by route template, hits and events, the queue."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.analytics.recorder import Recorder
from jobboard.api.hub import Hub
from jobboard.api.tally import Tally, is_shared, of_all
from jobboard.clock import now
from jobboard.infra.backlog import Backlog, backlog
from jobboard.infra.cache import Cache
from jobboard.infra.engines import Engines
from jobboard.infra.rates import exempt
from jobboard.infra.replica import Replica, State
from jobboard.infra.schedule import Schedule
from jobboard.infra.statements import SlowStatements
from jobboard.webhooks import queries as webhooks
from jobboard.webhooks.schemas import WebhookLine

QUEUE_SECONDS = 1.5  # that the database may take before the rest goes out without the queue
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
router = APIRouter(tags=["health"])
log = structlog.get_logger()


class Metrics:
    """The counters of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
        try:
            self._requests.labels(method, route, status).inc()
            self._seconds.labels(method, route).observe(seconds)
        except Exception as error:  # noqa: BLE001 - prometheus_client's own state may be broken by it
            # Several processes count in files (tally.py), for which there may be no room.
            log.warning("metrics.lost", error=repr(error))


class RecorderCollector(Collector):
    """Reads a recorder when asked, so that counting costs a request nothing."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def collect(self) -> Iterator[Metric]:
        """received = stored + known + dropped + buffered."""
        each = self._recorder
        for name, value, text in (
            ("received", each.received, "Entries so far."),
            ("stored", each.stored, "Entries that MongoDB keeps."),
            ("known", each.known, "Entries told again, which MongoDB had before."),
            (
                "dropped",
                each.dropped,
                "Entries lost: MongoDB was gone for too long, or refused them.",
            ),
        ):
            yield CounterMetricFamily(f"jobboard_{each.name}_{name}", text, value=value)
        yield GaugeMetricFamily(
            f"jobboard_{each.name}_buffered", "Entries that wait.", value=each.buffered
        )


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """The queue and the schedule now: how late each piece of work is, and its failures."""

    backlog: Backlog
    late: dict[str, float]
    failures: dict[str, int]
    webhooks: WebhookLine


async def _read_queue(engines: Engines) -> QueueNumbers | None:
    """None where the database does not answer soon: then it is no time to ask for numbers."""
    try:
        async with asyncio.timeout(QUEUE_SECONDS), engines.database.transaction() as session:
            return await _numbers(session)
    except (OSError, TimeoutError, SQLAlchemyError):
        return None


async def _numbers(session: AsyncSession) -> QueueNumbers:
    rows = (await session.scalars(select(Schedule))).all()
    moment = now()
    return QueueNumbers(
        await backlog(session),
        {row.name: max((moment - row.due_at).total_seconds(), 0.0) for row in rows},
        {row.name: row.failures for row in rows},
        await webhooks.line(session),
    )


def _gauges(area: str, *numbers: tuple[str, float, str]) -> Iterator[Metric]:
    """Each is a name, a value, and what it says."""
    for name, value, text in numbers:
        yield GaugeMetricFamily(f"jobboard_{area}_{name}", text, value)


class QueueCollector(Collector):
    """Every process says the same of the queue, which is the board's."""

    def __init__(self, found: QueueNumbers | None) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """`jobboard_queue_up` is 0, and all else missing, while the database does not answer."""
        found = self._found
        yield GaugeMetricFamily("jobboard_queue_up", "1 if it could be read.", float(bool(found)))
        if found is None:
            return
        now_in = found.backlog
        yield from _gauges(
            "queue",
            ("waiting", now_in.waiting, "Messages that are due."),
            ("postponed", now_in.postponed, "Messages for later, mostly after a failed try."),
            ("under_way", now_in.under_way, "Messages that a worker has."),
            ("failed", now_in.failed, "Messages that nobody tries again by itself."),
            ("oldest_seconds", now_in.oldest_seconds, "Age of the oldest message that is due."),
        )
        line = found.webhooks
        yield from _gauges(
            "webhooks",
            ("waiting", line.waiting, "Deliveries that are due."),
            ("postponed", line.postponed, "Deliveries for later."),
            ("oldest_seconds", line.oldest_waiting_seconds, "How long the oldest has been due."),
            ("failing", line.failing, "Webhooks that were turned off after days of failures."),
        )
        late = GaugeMetricFamily("jobboard_schedule_late_seconds", "Overdue.", labels=["work"])
        failures = GaugeMetricFamily(
            "jobboard_schedule_failures", "Since it last went well.", labels=["work"]
        )
        for name in found.late:
            late.add_metric([name], found.late[name])
            failures.add_metric([name], found.failures[name])
        yield from (late, failures)


class StatementsCollector(Collector):
    """What PostgreSQL took long for."""

    def __init__(self, slow: SlowStatements | None) -> None:
        self._slow = slow

    def collect(self) -> Iterator[Metric]:
        """None where nobody takes their time."""
        if self._slow is not None:
            yield CounterMetricFamily(
                "jobboard_statements_slow", "Statements named in the log.", self._slow.number
            )


class CacheCollector(Collector):
    """What this process's cache did; asked when it is asked for."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        """Every question is one of these."""
        answers = CounterMetricFamily(
            "jobboard_cache_answers", "Answers given, by where they came from.", labels=["from"]
        )
        for name, number in asdict(self._cache.counts).items():
            answers.add_metric([name], number)
        yield answers


class ReplicaCollector(Collector):
    """Who answered searches, where there is a replica."""

    def __init__(self, replica: Replica | None) -> None:
        self._replica = replica

    def collect(self) -> Iterator[Metric]:
        """Without samples where there is none."""
        answers = CounterMetricFamily(
            "jobboard_replica_answers",
            "Questions for the replica, by who answered them.",
            labels=["from"],
        )
        if self._replica is not None:
            answers.add_metric(["replica"], self._replica.answered)
            answers.add_metric(["primary"], self._replica.passed)
        yield answers


class ReplicaStateCollector(Collector):
    """How the replica stands, as the process that is asked sees it."""

    def __init__(self, replica: Replica | None) -> None:
        self._replica = replica

    def collect(self) -> Iterator[Metric]:
        """Without samples where there is none."""
        up = GaugeMetricFamily("jobboard_replica_up", "1 if searches are asked of it.", labels=[])
        lag = GaugeMetricFamily("jobboard_replica_lag_seconds", "How late it is.", labels=[])
        if (replica := self._replica) is not None:
            up.add_metric([], float(replica.state is State.UP))
            lag.add_metric([], replica.lag)
        yield from (up, lag)


class HubCollector(Collector):
    """The sockets of this process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """How many are open, and what became of them."""
        hub = self._hub
        yield GaugeMetricFamily("jobboard_sockets_open", "WebSockets now.", len(hub.seats))
        for name, value, text in (
            ("opened", hub.opened, "WebSockets so far."),
            ("sent", hub.sent, "Messages that left."),
            ("dropped", hub.dropped, "Cut off: a log-in had ended, or nobody read."),
        ):
            yield CounterMetricFamily(f"jobboard_sockets_{name}", text, value=value)


@asynccontextmanager
async def counting(
    metrics: Metrics, engines: Engines, hub: Hub, *recorders: Recorder
) -> AsyncGenerator[Tally | None]:
    """Let /metrics speak of these too, also to the other processes where there are some."""
    collectors = [
        *map(RecorderCollector, recorders),
        StatementsCollector(engines.database.slow),
        CacheCollector(engines.cache),
        ReplicaCollector(engines.reads.replica),
        HubCollector(hub),
    ]
    if not is_shared():
        for collector in collectors:
            metrics.registry.register(collector)
        yield None
        for collector in collectors:
            metrics.registry.unregister(collector)
        return
    tally = Tally(collectors)
    putting = asyncio.create_task(tally.keep_putting(), name="metrics")
    try:
        yield tally
    finally:
        putting.cancel()
        await asyncio.wait([putting])
        tally.put()


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
@exempt
async def read_metrics(request: Request) -> Response:
    """For your Prometheus, not for the world: let your proxy refuse this address."""
    state = request.app.state
    board = CollectorRegistry()  # what every process says alike
    board.register(QueueCollector(await _read_queue(state.engines)))
    board.register(ReplicaStateCollector(state.engines.reads.replica))
    if state.tally is not None:
        state.tally.put()
    counted = generate_latest(state.metrics.registry) if state.tally is None else of_all()
    text = counted + generate_latest(board)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)
