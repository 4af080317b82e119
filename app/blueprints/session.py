"""Odoo's sessions, opened and closed here: contract section 5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from app.auth import login
from app.auth.addresses import place_of
from app.auth.login import Attempt
from app.auth.throttle import Throttle, check_rate
from app.errors import BadRequest, Unauthorized
from app.operations.actions import LOG_IN
from app.operations.report import CallReport
from app.web import answers, csrf
from app.web.current import current_incoming, current_state
from app.web.hooks import set_session_cookie
from app.web.routing import current_endpoint, serves
from app.web.services import services
from odoo_bridge import sessions
from odoo_bridge.credentials import SecondFactorRequired
from odoo_bridge.errors import Denied
from odoo_bridge.sessions import COOKIE, Login
from odoo_bridge.transaction import Transactions

blueprint = Blueprint("session", __name__)


@blueprint.post("/web/session/authenticate")
def authenticate() -> Response:
    """Log in with ``db``, ``login`` and ``password``; sets Odoo's session cookie."""
    return _log_in(login.with_password)


@serves(LOG_IN)
def authenticate_with_key() -> Response:
    """The same with an Odoo API key as the password, at the route of an API of type key_authentication."""
    definition = current_state().definition = current_endpoint().definition
    rate = definition.document.rate_limit
    if rate:
        report = current_state().report = CallReport()
        report.rate = services().throttle.hit(rate, "api", str(definition.id), place_of(_address()))
        check_rate(rate, report.rate)
    return _log_in(login.with_key)


@blueprint.post("/web/session/destroy")
def destroy() -> Response:
    """Log out: the session ends here and in Odoo."""
    csrf.protect(request, [])
    session_id = request.cookies.get(COOKIE)
    if session_id:
        sessions.close_session(session_id)
    response = answers.success(None)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _log_in(log_in: Callable[[Transactions, Throttle, Attempt], Login]) -> Response:
    attempt = Attempt(*_credentials(current_incoming().body()), _address(), request.cookies.get(COOKIE))
    try:
        opened = log_in(services().transactions, services().throttle, attempt)
    except (Denied, SecondFactorRequired) as error:
        # As Odoo does: refused credentials are an answer, not an HTTP error.
        return answers.failure(Unauthorized(error.message, name=error.name), status=200)
    response = answers.success(opened.info)
    set_session_cookie(response, opened.sid, opened.max_age)
    return response


def _address() -> str:
    return request.remote_addr or ""


def _credentials(body: Any) -> tuple[str, str, str]:
    """Return db, login and password; raises BadRequest that names what is wrong."""
    if not isinstance(body, dict):
        message = "The body must be an object with db, login and password."
        raise BadRequest(message, name="invalid_body", data={"parameter": "body"})
    found = []
    for name in ("db", "login", "password"):
        value = body.get(name)
        if not isinstance(value, str) or not value or len(value) > 4096 or "\x00" in value:
            place = {"parameter": name, "field": name}
            raise BadRequest(f"{name} must be text and not empty.", name="invalid_credentials", data=place)
        found.append(value)
    return found[0], found[1], found[2]
