"""What a second web process gives, and what a request costs each engine: when to take a next step.

PROCESSES_JOBS=20000 python -m benchmarks processes

Two gunicorns as a server runs them, of one and of two processes, on one board, asked in turns for
the searches of `benchmarks.http`; once from the cache ("kept"), once with `JOBBOARD_CACHE` off
("asked"). Nothing is held to a core: engines, web processes and client share the machine as they do
on a small server. Beside the requests a second stands the processor time of each program for a
request, which the number of cores does not change: a core lasts for 1000 / ms requests a second.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.http.__main__ import paths
from benchmarks.http.client import Load, send
from benchmarks.output import until_no_one_reads
from jobboard.demo import bulk
from jobboard.infra.embedded import ALL, temporary
from jobboard.infra.migrate import upgrade

JOBS = int(os.environ.get("PROCESSES_JOBS", "20000"))
COUNTS = (1, 2)
TURNS, SECONDS, WARM = 3, 5.0, 2.0
CONNECTIONS = 32  # so many that processes which take them as they come get about the same
CONFIGURATION = Path(__file__).parents[1] / "deploy" / "gunicorn.conf.py"
ASKED = ["q", "country", "employment_type"]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Kind:
    """A gunicorn, and what it came to."""

    name: str
    pid: int
    port: int
    loads: list[Load] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)  # seconds, by program

    def run(self, programs: dict[str, int], seconds: float) -> Load:
        """Ask it, and add what that cost whom."""
        watched = {"web": self.pid, **programs}
        before = {name: processor(pid) for name, pid in watched.items()}
        load = send(self.port, paths("/api/v1/jobs", ASKED), CONNECTIONS, seconds)
        for name, pid in watched.items():
            self.spent[name] = self.spent.get(name, 0) + processor(pid) - before[name]
        self.loads.append(load)
        return load


def processor(pid: int) -> float:
    """Seconds of a process, of all below it, and of those that ended there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # a moment ago: its time is that of its parent now
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS + sum(processor(child) for child in below(pid))


def below(pid: int) -> list[int]:
    """Its children."""
    with suppress(FileNotFoundError):
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []


def started() -> dict[str, int]:
    """The engines that this process has started."""
    names = {"postgres": "PostgreSQL", "redis-server": "Redis"}
    found = {Path(f"/proc/{pid}/comm").read_text().strip(): pid for pid in below(os.getpid())}
    return {names.get(name, "MongoDB"): pid for name, pid in found.items()}


@contextmanager
def gunicorn(environment: dict[str, str], count: int) -> Generator[tuple[int, int]]:
    """Its process and its port, as soon as it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {**environment, "BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": str(count)}
    command = [sys.executable, "-P", "-m", "gunicorn", "--config", str(CONFIGURATION)]
    process = subprocess.Popen(command, env=given, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = monotonic() + 60
    while process.poll() is None and monotonic() < end:
        with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return
        sleep(0.1)
    raise RuntimeError("gunicorn did not start.")


async def _fill(url: str) -> None:
    await bulk.copy(url, seed=1, first=0, jobs=JOBS, days=60, progress=lambda _: None)
    await bulk.index(url)


def environment(folder: Path, urls: dict[str, str], cache: str) -> dict[str, str]:
    """The settings of a web process, with every limit: each request is another visitor's."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("JOBBOARD_")}
    return ours | {
        "JOBBOARD_BASE_URL": "http://127.0.0.1:8000",
        "JOBBOARD_SECRET_KEY": "a secret of the benchmarks, long enough for a key",
        "JOBBOARD_STORAGE_URL": folder.as_uri(),
        "JOBBOARD_TRUSTED_PROXIES": "127.0.0.1/32",
        "JOBBOARD_LOG_FORMAT": "json",
        "JOBBOARD_CACHE": cache,
        **{f"JOBBOARD_{name.upper()}": url for name, url in urls.items()},
    }


def show(kinds: Iterator[Kind], programs: dict[str, int]) -> None:
    """A line for each."""
    names = ["web", *programs]
    print(f"{'':22}{'a second':>9}{'p50 ms':>8}{'p95 ms':>8}  ms of a processor for each request")
    print(" " * 49 + "".join(f"{name:>14}" for name in names))
    for kind in kinds:
        cuts = quantiles([ms * 1000 for load in kind.loads for ms in load.took], n=20)
        rate = median(load.rate for load in kind.loads)
        requests = sum(len(load.took) for load in kind.loads)
        cost = "".join(f"{kind.spent[name] / requests * 1000:14.2f}" for name in names)
        print(f"{kind.name:22}{rate:9,.0f}{cuts[9]:8.1f}{cuts[18]:8.1f}  {cost}")


def main() -> None:
    """On engines of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = vars(stack.enter_context(temporary(needed=ALL)))
        upgrade(urls["database_url"])
        asyncio.run(_fill(urls["database_url"]))
        programs = started()
        kinds = []
        for name, cache in (("kept", "on"), ("asked", "off")):
            for count in COUNTS:
                given = environment(folder, urls, cache)
                pid, port = stack.enter_context(gunicorn(given, count))
                plural = "process" if count == 1 else "processes"
                kinds.append(Kind(f"{name}, {count} {plural}", pid, port))
        print(f"Processes: {JOBS:,} jobs, {CONNECTIONS} connections, {os.cpu_count()} cores shared "
              f"with engines and client, Python {sys.version.split()[0]}")  # fmt: skip
        for kind in kinds:
            kind.run(programs, WARM)
            kind.loads.clear()
            kind.spent.clear()
        for _ in range(TURNS):
            for kind in kinds:
                kind.run(programs, SECONDS)
        show(iter(kinds), programs)


if __name__ == "__main__":
    until_no_one_reads(main)
