"""Memory, CPU time and files of the arbiter and of every worker, whichever of them is asked.

prometheus_client's collector is of one process and is left out where several count together. Here it reads of each
process of the server what the system tells (proc(5)) when it is asked: one that has died leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.process_table import ProcessTable

_MEMORY = "process_resident_memory_bytes"


class Processes(Collector):
    """``process_*`` by ``process``: ``arbiter``, ``worker-0``, …; a worker that follows another takes its name over."""

    def __init__(self, table: ProcessTable, threads: int) -> None:
        """``threads`` is of each worker."""
        self._table = table
        self._threads = threads

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the processes; none where no arbiter serves."""
        if not self._table.arbiter:
            return
        workers = self._table.workers()
        found = {f"worker-{place}": _read(pid) for place, pid in workers.items()}
        alive = {name: metrics for name, metrics in found.items() if metrics}
        count = GaugeMetricFamily("gatehouse_workers", "Workers, by state (wanted, alive).", labels=["state"])
        count.add_metric(["wanted"], self._table.wanted)
        count.add_metric(["alive"], len(alive))
        yield count
        yield GaugeMetricFamily("gatehouse_worker_threads", "Threads of each worker.", value=self._threads)
        yield from _labelled({"arbiter": _read(self._table.arbiter), **alive})


def _read(pid: int) -> list[Metric]:
    """Return the metrics of a process; none of one that is dead, also where its parent has not looked yet."""
    metrics = list(ProcessCollector(pid=lambda: pid, registry=None).collect())
    # What has died keeps its number until then, and has no memory.
    return metrics if any(metric.name == _MEMORY and metric.samples[0].value for metric in metrics) else []


def _labelled(processes: dict[str, list[Metric]]) -> list[Metric]:
    """Return the same metrics, each once, with the processes as its label."""
    merged: dict[str, Metric] = {}
    for name, metrics in processes.items():
        for metric in metrics:
            of_all = merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                of_all.add_sample(sample.name, {"process": name}, sample.value)
    return list(merged.values())
