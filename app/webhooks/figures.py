"""Figures of webhooks: the process that delivers serves no HTTP, so they are read from what it keeps in the database.

They are the database's, whichever host and worker is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.webhooks import deliveries, store

_logger = logging.getLogger(__name__)
#: Seconds after which a process without a sign of life counts as dead: several of those between two signs.
DEAD = 10.0
#: Of what could be sent now: since when, which is not while the webhook was left alone for its failures.
_SINCE = "greatest(d.next_at, w.held_until)"
_QUERY = f"""
SELECT
    count(*) FILTER (WHERE active AND failures = 0),
    count(*) FILTER (WHERE active AND failures > 0),
    count(*) FILTER (WHERE NOT active AND NOT reason = ANY(%(meant)s)),
    count(*) FILTER (WHERE NOT active AND reason = ANY(%(meant)s)),
    (
        SELECT count(*) FROM gatehouse.delivery d JOIN gatehouse.webhook w ON w.id = d.webhook_id
        WHERE w.active AND d.status = 'pending'
    ),
    (
        SELECT coalesce(max(extract(epoch FROM now() - {_SINCE})), 0)::float
        FROM gatehouse.delivery d JOIN gatehouse.webhook w ON w.id = d.webhook_id
        WHERE {deliveries.MAY_RUN} AND {deliveries.DUE}
    ),
    (
        SELECT count(*) FROM gatehouse_jobs.procrastinate_workers
        WHERE last_heartbeat > now() - %(dead)s * interval '1 second'
    )
FROM gatehouse.webhook
"""
_STATES = ("on", "failing", "off", "off_by_hand")


class Figures(Collector):
    """``gatehouse_webhook…``, by one statement each time that somebody asks; none where the database is away."""

    def __init__(self, read: Callable[[Callable[[Any], Any]], Any]) -> None:
        """``read`` runs work with a cursor, in a transaction that can't take long."""
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        try:
            *counts, waiting, seconds, processes = self._read(_row)
        except Exception:
            _logger.warning("The figures of webhooks can't be read", exc_info=True)
            return
        states = GaugeMetricFamily(
            "gatehouse_webhooks",
            "Webhooks, by state (on; failing: on, and the last attempt has failed; off by itself; off_by_hand).",
            labels=["state"],
        )
        for state, count in zip(_STATES, counts, strict=True):
            states.add_metric([state], count)
        yield states
        for name, text, value in (
            ("gatehouse_webhook_events_waiting", "Events that webhooks which are on are still to be told.", waiting),
            (
                "gatehouse_webhook_due_seconds",
                "Time for which the oldest event has waited that could be sent: for nothing else than to be.",
                seconds,
            ),
            ("gatehouse_webhook_processes", "Processes that deliver webhooks, of all hosts.", processes),
        ):
            yield GaugeMetricFamily(name, text, value=value)


def _row(cr: Any) -> tuple[Any, ...]:
    cr.execute(_QUERY, {"meant": list(store.MEANT), "dead": DEAD})
    row: tuple[Any, ...] = cr.fetchone()
    return row
