"""Percentiles from buckets are near the true ones, whatever the latencies."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.analytics.latency import bucket_of, percentile

_latencies = st.lists(st.floats(0.2, 60_000), min_size=1, max_size=200)


@given(latencies=_latencies, share=st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_five_percent(latencies: list[float], share: float) -> None:
    true = sorted(latencies)[math.ceil(len(latencies) * share) - 1]
    told = percentile(Counter(map(bucket_of, latencies)), share)
    assert told is not None
    assert abs(told - true) <= 0.05 * true


def test_nothing_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None


def test_extremes_have_buckets_too() -> None:
    assert bucket_of(0) == bucket_of(0.05) == 0
    assert bucket_of(1e12) == 200
