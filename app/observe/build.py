"""Build information: the versions of Gatehouse and of what it stands on."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version

from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from app.version import VERSION, revision
from odoo_bridge import compat


class Build(Collector):
    """``gatehouse_build_info``. To be made at the start: a checkout may change under a server that runs on."""

    def __init__(self) -> None:
        self._labels = {
            "version": VERSION,
            "revision": revision(),
            "python": platform.python_version(),
            "odoo": compat.version(),
            "gunicorn": version("gunicorn"),
        }

    def collect(self) -> Iterator[Metric]:
        """Yield the one metric, whose value is 1."""
        yield InfoMetricFamily("gatehouse_build", "What is running.", value=self._labels)
