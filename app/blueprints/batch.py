"""Batches: contract section 9. Each step takes the way of a call of its own."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response

from app.operations.idempotency import Idempotency
from app.policy import batch as policy
from app.policy import query
from app.web import answers
from app.web.batches import Run
from app.web.calls import fingerprint
from app.web.current import current_app_object, current_incoming, current_request, current_state
from app.web.preferences import asks_for_dry_run
from app.web.routing import Gatehouse
from app.web.services import services

blueprint = Blueprint("batch", __name__)


@blueprint.post("/api/batch")
def batch() -> Response:
    request, incoming = current_request(), current_incoming()
    query.only_known(incoming.query(), frozenset())
    asked = policy.batch(incoming.body(), services().settings.batch_steps)
    environ = request.environ
    dry_run = current_state().dry_run = asks_for_dry_run(environ.get("HTTP_PREFER"))
    run = Run(cast(Gatehouse, current_app_object()), asked)
    given = None if dry_run else environ.get("HTTP_IDEMPOTENCY_KEY")
    return answers.success(run.answer(Idempotency.of(given, lambda: fingerprint(request, run.revisions))))
