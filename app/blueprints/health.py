"""For load balancers and supervisors: is the process alive, and can it serve?"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.errors import Unavailable
from app.version import VERSION
from app.web import answers
from app.web.operators import is_operator
from app.web.services import services
from odoo_bridge import compat

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer as long as the process does."""
    return answers.success({"status": "alive"})


@blueprint.get("/readyz")
def ready() -> Response:
    """Answer 200 if all checks (see ``readiness``) that serving requires are well, else 503.

    Which are not, and details, are for those who know the token of ``/metrics``. APIs that Odoo no longer fits do not
    make the others unready.
    """
    findings = services().readiness.findings()
    problem = next((finding.problem for finding in findings if finding.is_unready), None)
    if not is_operator():
        if problem is not None:
            raise Unavailable("Not ready.", name="not_ready", headers=problem.headers)
        return answers.success({"status": "ready"})
    checks = {finding.check: finding.to_json() for finding in findings}
    if problem is not None:
        data = {**problem.data, "checks": checks}
        raise Unavailable(problem.message, name=problem.name, headers=problem.headers, data=data)
    status = "degraded" if any(finding.problem for finding in findings) else "ready"
    return answers.success({"status": status, **_details(), "checks": checks})


def _details() -> dict[str, Any]:
    """Return versions, and the APIs that are out of service, each with its problems."""
    snapshot = services().catalog.snapshot
    return {
        "version": VERSION,
        "database": services().transactions.database,
        "odoo": compat.version(),
        "catalog": snapshot.version,
        "out_of_service": {
            definition.name: list(map(str, definition.problems))
            for definition in snapshot.definitions.values()
            if definition.problems and definition.document.published
        },
    }
