"""What a decorated call costs, disabled and enabled, against the bare call and a naive decorator.

python -m benchmarks.programs.call_logger
"""

import functools
import logging
import timeit
from collections.abc import Callable
from typing import Any

from benchmarks.output import until_no_one_reads
from programs.call_logger import log_calls

LOGGER = logging.getLogger("benchmark")
CALLS, TURNS = 200_000, 7


def bare(a: int, b: int) -> int:
    return a + b


def naive(function: Any) -> Any:
    """The decorator of many tutorials: it puts every call in words, wanted or not."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        LOGGER.debug(f"calling {function.__name__} with {args} {kwargs}")
        result = function(*args, **kwargs)
        LOGGER.debug(f"{function.__name__} returned {result!r}")
        return result

    return wrapper


def passing_on(function: Any) -> Any:
    """The least that a decorator can do, which no other can be cheaper than."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Nowhere(logging.Handler):
    """Puts each record in words, as a real handler does, and throws them away."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


def nanoseconds(function: Callable[[int, int], int]) -> float:
    """A call of the best of some turns."""
    turns = timeit.repeat(lambda: function(1, 2), number=CALLS, repeat=TURNS)
    return min(turns) / CALLS * 1e9


def main() -> None:
    LOGGER.propagate = False
    LOGGER.addHandler(Nowhere())
    functions = {
        "bare": bare,
        "a wrapper that does nothing": passing_on(bare),
        "log_calls": log_calls(logger=LOGGER)(bare),
        "naive": naive(bare),
    }
    print("a call, the lambda around it included      ns   ratio")
    base = nanoseconds(bare)
    for level, state in ((logging.INFO, "disabled"), (logging.DEBUG, "enabled")):
        LOGGER.setLevel(level)
        for name, function in functions.items():
            took = nanoseconds(function)
            print(f"{name + ', ' + state:38} {took:7.0f} {took / base:6.1f}x")


if __name__ == "__main__":
    until_no_one_reads(main)
