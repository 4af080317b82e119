"""Latencies in buckets that grow by a tenth, so that percentiles of any number of calls can be told within 5 %."""

from __future__ import annotations

import math
from collections.abc import Mapping

#: Milliseconds up to which the first bucket reaches, and by what each further one is larger.
_FIRST, _GROWTH = 0.1, 1.1
_LOG_GROWTH = math.log(_GROWTH)


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a latency."""
    if milliseconds <= _FIRST:
        return 0
    return min(200, math.ceil(math.log(milliseconds / _FIRST) / _LOG_GROWTH))


def middle_of(bucket: int) -> float:
    """Return the latency that stands for a bucket, in milliseconds."""
    return float(_FIRST * _GROWTH ** (bucket - 0.5))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the latency that ``share`` of the calls did not exceed, in milliseconds; None without calls."""
    total = sum(counts.values())
    if not total:
        return None
    wanted, seen = max(1, math.ceil(total * share)), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            return middle_of(bucket)
    return None
