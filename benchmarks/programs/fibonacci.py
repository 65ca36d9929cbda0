"""The n-th Fibonacci number three ways, printing it two ways, and the memory of the generator.

python -m benchmarks.programs.fibonacci
"""

import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from itertools import islice

from benchmarks.output import until_no_one_reads
from programs.fibonacci import fibonacci, first, nth, to_text


def naive(n: int) -> int:
    """The definition, word for word: it takes F(n) steps."""
    return n if n < 2 else naive(n - 1) + naive(n - 2)


def plain(n: int) -> int:
    """The generator, run up to n."""
    return next(islice(fibonacci(), n, None))


def milliseconds(call: Callable[[], object], turns: int = 3) -> float:
    """The best of some turns."""
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def compare(n: int, **others: Callable[[int], int]) -> None:
    """The time that fast doubling takes for one n, and that of other ways."""
    base = milliseconds(lambda: nth(n))
    print(f"F({n:,})\n  {'nth':10} {base:12.3f} ms")
    for name, function in others.items():
        took = milliseconds(lambda function=function: function(n), 1)
        print(f"  {name:10} {took:12.3f} ms {took / base:12.1f}x")


def peak(count: int) -> int:
    """The most memory that the generator held at a time, in bytes."""
    tracemalloc.start()
    deque(first(count), maxlen=0)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken


def main() -> None:
    compare(28, generator=plain, recursion=naive)
    compare(10_000, generator=plain)
    compare(200_000, generator=plain)
    compare(1_000_000)
    number = nth(1_000_000)
    sys.set_int_max_str_digits(0)
    ours, pythons = milliseconds(lambda: to_text(number)), milliseconds(lambda: str(number), 1)
    print("the digits of F(1,000,000)")
    print(f"  to_text    {ours:12.3f} ms\n  str        {pythons:12.3f} ms {pythons / ours:12.1f}x")
    print("peak memory of the generator, and of its last number")
    for count in (100, 1_000, 10_000, 100_000):
        print(f"  {count:7,} numbers {peak(count):8,} bytes {sys.getsizeof(nth(count)):8,} bytes")


if __name__ == "__main__":
    until_no_one_reads(main)
