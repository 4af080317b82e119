"""Whether ``/readyz`` would answer 200, for those who look at metrics alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Readiness(Collector):
    """``gatehouse_ready``, of the worker that is asked."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready

    def collect(self) -> Iterator[Metric]:
        """Yield 1 or 0."""
        ready = float(self._is_ready())
        yield GaugeMetricFamily("gatehouse_ready", "1 where /readyz answers 200, else 0.", value=ready)
