"""Runs every benchmark, or those that are named: `python -m benchmarks [NAME ...]`."""

import sys
from collections.abc import Callable

from benchmarks import alerts, cache, live, log_in_times, middleware, processes, wallet
from benchmarks.hits import cost, gone, growth
from benchmarks.http.__main__ import main as http
from benchmarks.output import until_no_one_reads
from benchmarks.programs.__main__ import main as programs
from benchmarks.relevance.__main__ import main as relevance
from benchmarks.search.__main__ import main as search

BENCHMARKS: dict[str, Callable[[], None]] = {
    "programs": programs,
    "log_in_times": log_in_times.main,
    "middleware": middleware.main,
    "hits_cost": cost.main,
    "hits_growth": growth.main,
    "hits_gone": gone.main,
    "wallet": wallet.main,
    "cache": cache.main,
    "live": live.main,
    "alerts": alerts.main,
    "search": search,
    "relevance": relevance,
    "http": http,
    "processes": processes.main,
}


def main() -> None:
    """Exit with what there is where a name is none of ours."""
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        BENCHMARKS[name]()


if __name__ == "__main__":
    until_no_one_reads(main)
