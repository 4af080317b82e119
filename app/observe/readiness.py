"""Readiness as a metric, for those who look at metrics alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_logger = logging.getLogger(__name__)


class Readiness(Collector):
    """``gatehouse_ready``, of the worker that is asked."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready

    def collect(self) -> Iterator[Metric]:
        """Yield 1 or 0."""
        yield GaugeMetricFamily("gatehouse_ready", "1 where /readyz answers 200, else 0.", value=self._look())

    def _look(self) -> float:
        try:
            return float(self._is_ready())
        except Exception:  # /readyz would be 500 then; all other metrics are needed the more
            _logger.exception("Whether the server is ready can't be told")
            return 0.0
