"""For load balancers and supervisors: is the process alive, and can it serve?"""

from __future__ import annotations

from flask import Blueprint, Response

from app import answers
from app.errors import Unavailable
from app.services import services
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer as long as the process does."""
    return answers.success({"status": "alive"})


@blueprint.get("/readyz")
def ready() -> Response:
    """Answer 200 if the registry is loaded and the database answers, else 503.

    APIs that Odoo no longer fits are named; they do not make the others unready. What is wrong with them stands in
    the log and in ``flask api list``: this answer is for anybody.
    """
    try:
        services().transactions.run(_ping)
    except BridgeError as error:
        raise Unavailable("The database cannot be reached.", name=error.name) from error
    snapshot = services().catalog.snapshot
    if not snapshot.version:
        raise Unavailable("The API definitions are not loaded yet.", name="catalog_not_loaded", retry_after=1)
    out_of_service = [
        definition.name
        for definition in snapshot.definitions.values()
        if definition.problems and definition.document.published
    ]
    return answers.success({"status": "ready", "out_of_service": out_of_service})


def _ping(root: Environment) -> None:
    root.cr.execute("SELECT 1")
