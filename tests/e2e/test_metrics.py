"""/metrics below gunicorn with several processes: whichever answers, answers for all."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.fronted import Gunicorn, gunicorn
from tests.e2e.visitors import Site
from tests.e2e.waiting import STARTING

pytestmark = pytest.mark.slow
ASKED = 40


@pytest.fixture(scope="module")
def pair(planned: Site) -> Iterator[Gunicorn]:
    """One gunicorn with two processes."""
    with gunicorn({**planned.environment, "WEB_CONCURRENCY": "2"}) as both:
        yield both


def numbers(at: Gunicorn) -> dict[str, float]:
    """What /metrics says, series by series, from a connection of its own."""
    with urlopen(f"{at.address}/metrics", timeout=STARTING) as answer:
        text = answer.read().decode()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ask(at: Gunicorn, times: int = ASKED) -> None:
    """A new connection each time: the processes take them in turn, or as they come."""
    for _ in range(times):
        with urlopen(f"{at.address}/api/v1/companies", timeout=STARTING) as answer:
            answer.read()


REQUESTS = "jobboard_requests_total GET /api/v1/companies 200"
TIMED = "jobboard_request_seconds_count GET /api/v1/companies"
RECEIVED = "jobboard_hits_received_total"


def test_every_answer_is_of_all_processes_and_none_forgets(pair: Gunicorn) -> None:
    ask(pair)
    settled(pair, REQUESTS, ASKED)  # one is counted after the last of its answer has left
    found = [numbers(pair) for _ in range(8)]  # of either process
    assert {each[REQUESTS] for each in found} == {ASKED}
    assert found[-1][TIMED] == ASKED
    assert found[-1]["jobboard_sockets_open"] == 0
    settled(pair, RECEIVED, ASKED)

    old = pair.replace_workers()
    deadline = time.monotonic() + STARTING
    while pair.workers() & old and time.monotonic() < deadline:
        time.sleep(0.05)
    ask(pair)
    settled(pair, REQUESTS, 2 * ASKED)
    settled(pair, RECEIVED, 2 * ASKED)
    where = pair.address.removeprefix("http://").replace(".", "-").replace(":", "-")
    folder = Path(f"/dev/shm/jobboard-metrics-{os.getuid()}-{where}")
    owners = {path.stem.partition("_")[2] for path in folder.glob("counter_*.db")}
    assert owners == {"0", *map(str, pair.workers())}


def settled(at: Gunicorn, name: str, value: float) -> None:
    """Soon: what does not count by itself, the other process tells every few seconds."""
    deadline = time.monotonic() + STARTING
    while (found := numbers(at)[name]) != value:
        assert found < value
        assert time.monotonic() < deadline
        time.sleep(0.2)
