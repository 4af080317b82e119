"""Odoo's sessions, opened and closed here: contract section 5."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, request

from app import answers
from app.auth import csrf
from app.errors import BadRequest, Unauthorized
from app.services import services
from odoo_bridge import credentials, sessions
from odoo_bridge.errors import Denied
from odoo_bridge.sessions import COOKIE, Login
from odoo_bridge.transaction import Environment

blueprint = Blueprint("session", __name__, url_prefix="/web/session")


@blueprint.post("/authenticate")
def authenticate() -> Response:
    """Log in with ``db``, ``login`` and ``password``; sets Odoo's session cookie."""
    database, login, password = _credentials(g.incoming.body())

    def work(root: Environment) -> Login:
        if database != root.cr.dbname:
            raise Denied("Wrong database, login or password.")
        user = credentials.check_password(root, login, password, address=request.remote_addr or "")
        return sessions.open_session(root, user)

    try:
        opened = services().transactions.run(work)
    except (Denied, credentials.SecondFactorRequired) as error:
        # As Odoo does: refused credentials are an answer, not an HTTP error.
        return answers.failure(Unauthorized(error.message, name=error.name), status=200)
    response = answers.success(opened.info)
    response.set_cookie(
        COOKIE, opened.sid, max_age=opened.max_age, httponly=True, samesite="Lax", secure=request.is_secure
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/destroy")
def destroy() -> Response:
    """Log out: the session ends here and in Odoo."""
    csrf.protect(request, [])
    session_id = request.cookies.get(COOKIE)
    if session_id:
        sessions.close_session(session_id)
    response = answers.success(None)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _credentials(body: Any) -> tuple[str, str, str]:
    """Return db, login and password; raises BadRequest that names what is wrong."""
    if not isinstance(body, dict):
        raise BadRequest("The body must be an object with db, login and password.", name="invalid_body")
    found = []
    for name in ("db", "login", "password"):
        value = body.get(name)
        if not isinstance(value, str) or not value or len(value) > 4096 or "\x00" in value:
            raise BadRequest(f"{name} must be text and not empty.", name="invalid_credentials", data={"field": name})
        found.append(value)
    return found[0], found[1], found[2]
