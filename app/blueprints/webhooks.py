"""Webhooks of client apps: contract section 10. Each app has its own, and sees no others."""

from __future__ import annotations

from flask import Blueprint, Response

from app.auth.throttle import check_rate
from app.errors import BadRequest
from app.operations.report import CallReport
from app.policy import query
from app.principal import Credentials
from app.web import answers
from app.web.current import current_incoming, current_request, current_state
from app.web.services import services
from app.webhooks import shown
from app.webhooks.deliveries import STATUSES, Delivery
from app.webhooks.document import MOST_OF_PAGE, PAGE, Rotation, WebhookChange, WebhookDocument, parsed
from app.webhooks.subscriptions import Owner

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/webhooks")
#: Calls of a client app about its webhooks.
_RATE = "300/minute"


@blueprint.post("")
def create() -> Response:
    owner = _owner()
    made, secret = services().webhooks.create(owner, parsed(WebhookDocument, _body()))
    return answers.success(shown.webhook(made, secret), {"Location": f"/api/webhooks/{made.id}"}, 201)


@blueprint.get("")
def every() -> Response:
    owner = _owner()
    query.only_known(current_incoming().parameters(), frozenset())
    return answers.success({"webhooks": [shown.webhook(each) for each in services().webhooks.every(owner)]})


@blueprint.get("/<webhook>")
def one(webhook: str) -> Response:
    owner = _owner()
    query.only_known(current_incoming().parameters(), frozenset())
    return answers.success(shown.webhook(services().webhooks.one(owner, webhook)))


@blueprint.patch("/<webhook>")
def change(webhook: str) -> Response:
    owner = _owner()
    return answers.success(shown.webhook(services().webhooks.change(owner, webhook, parsed(WebhookChange, _body()))))


@blueprint.delete("/<webhook>")
def remove(webhook: str) -> Response:
    services().webhooks.remove(_owner(), webhook)
    return answers.success(None)


@blueprint.post("/<webhook>/test")
def test(webhook: str) -> Response:
    """The message is sent in a moment; its delivery tells what has come of it."""
    owner = _owner()
    return _delivery(owner, webhook, services().webhooks.test(owner, webhook), 202)


@blueprint.post("/<webhook>/rotate")
def rotate(webhook: str) -> Response:
    owner = _owner()
    body = _body() if current_incoming().has_body else {}
    found, secret = services().webhooks.rotate(owner, webhook, parsed(Rotation, body))
    return answers.success(shown.webhook(found, secret))


@blueprint.get("/<webhook>/deliveries")
def deliveries(webhook: str) -> Response:
    owner, parameters = _owner(), current_incoming().parameters()
    query.only_known(parameters, frozenset({"limit", "before", "status"}))
    limit = query.number(parameters, "limit", PAGE)
    if not 1 <= limit <= MOST_OF_PAGE:
        raise BadRequest(f"limit must be 1 to {MOST_OF_PAGE}.", name="invalid_limit", data={"parameter": "limit"})
    status, before = parameters.get("status") or None, parameters.get("before") or None
    if status is not None and status not in STATUSES:
        message = f"status must be one of {', '.join(STATUSES)}."
        raise BadRequest(message, name="invalid_status", data={"parameter": "status", "allowed": list(STATUSES)})
    found = services().webhooks.deliveries(owner, webhook, limit=limit + 1, before=before, status=status)
    of, page = services().webhooks.one(owner, webhook), found[:limit]
    definition = services().catalog.snapshot.definitions.get(of.api_id)
    return answers.success(
        {
            "deliveries": [shown.delivery(each, of, definition) for each in page],
            "next": page[-1].id if len(found) > limit else None,
        }
    )


@blueprint.post("/<webhook>/deliveries/<delivery>/redeliver")
def redeliver(webhook: str, delivery: str) -> Response:
    owner = _owner()
    return _delivery(owner, webhook, services().webhooks.redeliver(owner, webhook, delivery), 202)


@blueprint.teardown_request
def leave(error: BaseException | None) -> None:
    """Let the call no longer count among those of its client app."""
    report = current_state().report
    if report is not None:
        services().gateway.leave(report)


def _delivery(owner: Owner, webhook: str, found: Delivery, status: int) -> Response:
    of = services().webhooks.one(owner, webhook)
    definition = services().catalog.snapshot.definitions.get(of.api_id)
    return answers.success(shown.delivery(found, of, definition), status=status)


def _owner() -> Owner:
    """Return the client app that calls; raises ApiError for anybody else, and for one that calls too often."""
    request, report = current_request(), CallReport()
    current_state().report = report
    presented = Credentials(authorization=request.environ.get("HTTP_AUTHORIZATION"), address=request.remote_addr or "")
    bearer = services().gateway.client(presented, report)
    report.rate = services().throttle.hit(_RATE, "webhooks", "", str(bearer.client_id))
    check_rate(_RATE, report.rate)
    return Owner(bearer.client_id, bearer.client_name, f"client app {bearer.client_name}")


def _body() -> object:
    query.only_known(current_incoming().query(), frozenset())
    return current_incoming().body()
