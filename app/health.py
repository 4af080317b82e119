"""For load balancers and supervisors: is the process alive, and can it serve?"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app import answers
from app.auth.operators import is_operator
from app.catalog.catalog import Snapshot
from app.errors import ApiError, Unavailable
from app.services import services
from odoo_bridge import compat
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment
from serving import draining

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer as long as the process does."""
    return answers.success({"status": "alive"})


@blueprint.get("/readyz")
def ready() -> Response:
    """Answer 200 if the registry is loaded, the database answers and the server goes on, else 503.

    Why not, and details, are for those who know the token of ``/metrics``. APIs that Odoo no longer fits do not make
    the others unready.
    """
    snapshot = services().catalog.snapshot
    problem = _problem(snapshot)
    if problem is None:
        return answers.success({"status": "ready", **(_details(snapshot) if is_operator() else {})})
    if is_operator():
        raise problem
    raise Unavailable("Not ready.", name="not_ready", headers=problem.headers)


def _problem(snapshot: Snapshot) -> ApiError | None:
    """Return why this worker can't serve at the moment."""
    if draining.is_draining():
        return Unavailable("The server is stopping.", name="stopping")
    try:
        services().transactions.run(_ping)
    except BridgeError as error:
        return Unavailable("The database cannot be reached.", name=error.name)
    if not snapshot.version:
        return Unavailable("The API definitions are not loaded yet.", name="catalog_not_loaded", retry_after=1)
    return None


def _details(snapshot: Snapshot) -> dict[str, Any]:
    """Return what this worker serves; of each API that is out of service, what is wrong with it."""
    return {
        "database": services().transactions.database,
        "odoo": compat.version(),
        "catalog": snapshot.version,
        "out_of_service": {
            definition.name: list(definition.problems)
            for definition in snapshot.definitions.values()
            if definition.problems and definition.document.published
        },
    }


def _ping(root: Environment) -> None:
    root.cr.execute("SELECT 1")
