"""The numbers of one process among several that Prometheus asks as one.

Below gunicorn with several processes, whichever answers a question must answer for all: each keeps
its numbers in a file of a common folder, PROMETHEUS_MULTIPROC_DIR, which prometheus_client adds up.
What counts by itself (requests) is in those files at once; all else is put there when it is asked
for, and every few seconds.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from jobboard.infra.counted import FOLDER, reading

SECONDS = 5.0

log = structlog.get_logger()


def is_shared() -> bool:
    """Whether several processes count together. prometheus_client decides when it is imported."""
    return bool(os.environ.get(FOLDER))


def of_all() -> bytes:
    """What all processes counted, those that ended included, as Prometheus reads it."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    with reading():
        return generate_latest(registry)


class Tally:
    """Puts what collectors say into the folder."""

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._collectors = collectors
        self._registry = CollectorRegistry()
        self._kept: dict[str, Any] = {}
        self._before: dict[tuple[str, ...], float] = {}

    async def keep_putting(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                self.put()
            except Exception:
                # A full /dev/shm, say: once there is room, the numbers are right again.
                log.exception("tally.failed")
            await asyncio.sleep(SECONDS)

    def put(self) -> None:
        """As it is now. Counters only grow: by what came since they were put last."""
        for metric in self._said():
            for sample in metric.samples:
                names = tuple(sample.labels)
                kept = self._kept.get(metric.name) or self._make(metric, names)
                labels = tuple(sample.labels.values())
                child: Any = kept.labels(*labels) if names else kept
                if metric.type == "gauge":
                    child.set(sample.value)
                    continue
                key = (metric.name, *labels)
                child.inc(sample.value - self._before.get(key, 0.0))
                self._before[key] = sample.value

    def _said(self) -> Iterable[Metric]:
        return (metric for collector in self._collectors for metric in collector.collect())

    def _make(self, metric: Metric, labels: tuple[str, ...]) -> Counter | Gauge:
        # "livesum": what a process that ended had open or waiting is gone with it.
        kind = {"multiprocess_mode": "livesum"} if metric.type == "gauge" else {}
        make: Any = Gauge if metric.type == "gauge" else Counter
        made = make(metric.name, metric.documentation, labels, registry=self._registry, **kind)
        self._kept[metric.name] = made
        return made
