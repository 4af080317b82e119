"""``GET /metrics``: without the token there is no such page."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from app.observe.build import Build
from app.observe.counted import counted
from app.observe.processes import Processes
from app.observe.readiness import Readiness
from app.web.operators import is_operator
from app.web.routing import Gatehouse
from app.web.wrong_paths import not_found
from app.webhooks.figures import Figures
from odoo_bridge import direct_reads
from serving.process_table import processes

#: Seconds that a query of ours may take.
_PATIENCE = 2.0


def init_metrics(app: Gatehouse) -> None:
    """Serve the meters, and the gauges that are looked up when somebody asks."""
    blueprint = Blueprint("metrics", __name__)
    looked_up = CollectorRegistry()
    for collector in (
        Build(),
        Processes(processes, app.services.settings.threads),
        Readiness(app.services.readiness.is_ready),
        Figures(partial(direct_reads.read, app.services.instance.database, statement_timeout=_PATIENCE)),
    ):
        looked_up.register(collector)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        """Answer with all metrics in Prometheus' text format."""
        if not is_operator():
            raise not_found()
        text = generate_latest(counted()) + generate_latest(looked_up)
        return Response(text, content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(blueprint)
