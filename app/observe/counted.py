"""Sums of the meters of all processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


def counted() -> CollectorRegistry:
    """Return all counts: of the files that the processes of a server write, or else of this process alone."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return REGISTRY
    registry = CollectorRegistry()
    registry.register(_Files(Path(folder)))
    return registry


class _Files(Collector):
    """The files of all processes, but for one that another process is just making: it has no content for a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Yield the sums."""
        files = [str(file) for file in self._folder.glob("*.db") if _has_content(file)]
        yield from MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # of a process that has just ended
        return False
