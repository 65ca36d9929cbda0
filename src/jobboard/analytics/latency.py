"""Times as histograms that can be added up, and percentiles read from them.

A bucket's borders lie a fixed ratio apart, so that a percentile is never further than ERROR from
the true one, however long the times are, and histograms of minutes make those of hours and days.
After DDSketch: Masson, Rim and Lee, VLDB 2019, section 2.

A histogram is one whole number in which each bucket has LANE bits of its own. Adding two histograms
is adding two numbers: thousands of them are added up in a few milliseconds.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from struct import unpack

GROWTH = 1.1
ERROR = (GROWTH - 1) / (GROWTH + 1)  # 4.8 %
SHORTEST, LONGEST = 0.1, 1e8  # ms; what is shorter or longer counts as these
LANE = 64  # bits: `Q` for struct, and no bucket is ever full
BYTES = LANE // 8

Histogram = int


def _bucket(ms: float) -> int:
    return math.ceil(math.log(min(LONGEST, max(SHORTEST, ms))) / math.log(GROWTH))


LOWEST = _bucket(SHORTEST)


def histogram(times: Iterable[float]) -> Histogram:
    """Of times in ms."""
    buckets = Counter(_bucket(ms) for ms in times)
    return sum(count << (bucket - LOWEST) * LANE for bucket, count in buckets.items())


def percentiles(of: Histogram, shares: Sequence[float]) -> list[float | None]:
    """For each of `shares` the time in ms that so many do not exceed; None where there are none."""
    if not of:
        return [None] * len(shares)
    empty, rest = _trimmed(of)
    number = -(-rest.bit_length() // LANE)
    so_far = list(accumulate(unpack(f"<{number}Q", rest.to_bytes(number * BYTES, "little"))))
    places = (bisect_left(so_far, share * so_far[-1]) for share in shares)
    return [_middle(LOWEST + empty + place) for place in places]


@cache
def _middle(bucket: int) -> float:
    """The value that is equally far, as a ratio, from both borders."""
    return round(2 * GROWTH**bucket / (GROWTH + 1), 3)


def _trimmed(of: Histogram) -> tuple[int, int]:
    """How many empty buckets it begins with, and it without them."""
    empty = ((of & -of).bit_length() - 1) // LANE if of else 0
    return empty, of >> empty * LANE


def packed(of: Histogram) -> bytes:
    """As it is stored: how many empty buckets it begins with, in two bytes, and the others."""
    empty, rest = _trimmed(of)
    return empty.to_bytes(2, "little") + rest.to_bytes(-(-rest.bit_length() // 8), "little")


def unpacked(stored: bytes) -> Histogram:
    """As it was packed."""
    empty = int.from_bytes(stored[:2], "little")
    return int.from_bytes(stored[2:], "little") << empty * LANE
