"""Times as histograms that can be added up, and percentiles read from them.

A bucket's borders lie a fixed ratio apart, so that a percentile is never further than ERROR from
the true one, however long the times are, and histograms of minutes make those of hours and days.
After DDSketch: Masson, Rim and Lee, VLDB 2019, section 2.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

GROWTH = 1.1
ERROR = (GROWTH - 1) / (GROWTH + 1)  # 4.8 %
SHORTEST = 0.1  # ms; what is shorter counts as this

Histogram = Counter[int]

# A hit's bucket as an expression of the aggregation language.
BUCKET: dict[str, Any] = {
    "$toInt": {"$ceil": {"$divide": [{"$ln": {"$max": ["$ms", SHORTEST]}}, math.log(GROWTH)]}}
}


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """The time in ms that `share` of all do not exceed; None where there are none."""
    rank = share * sum(histogram.values())
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= rank:
            return _middle(bucket)
    return None


def _middle(bucket: int) -> float:
    """The value that is equally far, as a ratio, from both borders."""
    return round(2 * GROWTH**bucket / (GROWTH + 1), 3)


def packed(histogram: Mapping[int, int]) -> str:
    """As it is stored: pairs of bucket and count, as JSON. One text is sent several times as fast
    as an array of arrays."""
    pairs = [[bucket, histogram[bucket]] for bucket in sorted(histogram)]
    return json.dumps(pairs, separators=(",", ":"))


def unpacked(text: str) -> list[list[int]]:
    """Pairs of bucket and count."""
    return json.loads(text)


def add(histogram: Histogram, pairs: list[list[int]]) -> None:
    """Add pairs of bucket and count."""
    for bucket, count in pairs:
        histogram[bucket] += count
