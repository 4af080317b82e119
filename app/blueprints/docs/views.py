"""``/api/openapi.json`` and ``/api/docs``: the document; and a page that says how to get in, above Swagger UI.

Swagger UI comes from a package of this machine.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_from_directory, url_for

from app.blueprints.docs import visible
from app.blueprints.docs.forms import LogOutForm
from app.errors import NotFound
from app.openapi import curl
from app.openapi.documents import Documents
from app.openapi.first_call import FirstCall, first_call
from app.operations.report import CallReport
from app.policy.query import only_known
from app.principal import Credentials, Person
from app.web.current import current_incoming, current_state
from app.web.incoming import refuse_nul
from app.web.pages import harden
from app.web.persons import current_visitor
from app.web.routing import served_endpoints
from app.web.services import services
from odoo_bridge import sessions
from odoo_bridge.sessions import COOKIE

blueprint = Blueprint(
    "docs", __name__, template_folder="templates", static_folder="static", static_url_path="/api/docs/own"
)

_SWAGGER_UI = Path(str(files("flask_swagger_ui"))) / "dist"
#: The files of Swagger UI that the page loads, and those that the OAuth2 code flow comes back to.
_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "oauth2-redirect.html", "oauth2-redirect.js"})
#: Swagger UI sets styles on elements and has its icons in data: addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_documents = Documents()


@blueprint.get("/api/openapi.json")
def document() -> Response:
    """Answer with all that the caller may call, or with ``?api=NAME`` with that of one API."""
    name = _wanted()
    served = served_endpoints()
    endpoints = visible.endpoints(served, services().gateway, *_credentials())
    if name is not None:
        endpoints = [endpoint for endpoint in endpoints if endpoint.definition.name == name]
        if not endpoints:
            raise NotFound("There is no such API, or none that its caller may call.", data={"parameter": "api"})
    content, etag = _documents.of(served, endpoints, request.host_url.rstrip("/"))
    response = Response(content, content_type="application/json")
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Authorization", "Cookie"))
    response.make_conditional(request)
    return response


@blueprint.get("/api/docs")
def page() -> Response:
    """Show the ways in, a first call, and the document, whose calls can be made from there."""
    return _page()


def _page(status: int = 200, message: str = "") -> Response:
    credentials = Credentials(request.cookies.get(COOKIE), None, request.remote_addr or "")
    report = current_state().report = CallReport()
    visitor = current_visitor()
    seen = visible.endpoints(served_endpoints(), services().gateway, credentials, report)
    if name := request.args.get("api"):
        seen = [endpoint for endpoint in seen if endpoint.definition.name == name]
    first = first_call(services().transactions, seen, visitor.uid if visitor else None)
    text = render_template(
        "docs/reference.html",
        visitor=visitor,
        form=LogOutForm() if visitor else None,
        message=message,
        here=url_for("docs.page", api=name),
        first=first,
        lines=_lines(first, visitor),
    )
    return harden(make_response(text, status), _POLICY)


@blueprint.post("/api/docs/logout")
def log_out() -> Response:
    """End the session, here and in Odoo, and show the docs as strangers see them."""
    refuse_nul(request)
    if not LogOutForm().validate():
        return _page(400, "This form did not come from this page, or was open for too long. Nobody is logged out.")
    response = make_response(redirect(url_for("docs.page"), 303))
    if COOKIE in request.cookies:
        sessions.close_session(request.cookies[COOKIE])
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


@blueprint.get("/api/docs/<name>")
def file(name: str) -> Response:
    """Serve a file of Swagger UI."""
    if name not in _FILES:
        raise NotFound("There is no such file.")
    response = harden(send_from_directory(_SWAGGER_UI, name), _POLICY)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _lines(first: FirstCall | None, visitor: Person | None) -> dict[str, str]:
    """Return the command lines of each way in; where the visitor may call nothing yet, an API's route is left open."""
    base = request.host_url.rstrip("/")
    database, login = (services().transactions.database, visitor.login) if visitor else ("DATABASE", "YOUR_LOGIN")

    def call(credentials: str) -> str:
        if first is None or (credentials and first.is_open):
            return curl.call("GET", f"{base}/api/ROUTE?limit=3", credentials)
        return first.command(base, credentials)

    return {
        "first": call("") if first and first.is_open else "",
        "token": f"{curl.token(base)}\n{call(curl.AS_CLIENT)}",
        "key": call(curl.BY_KEY),
        "session": f"{curl.log_in(base, database, login)}\n{call(curl.BY_SESSION)}",
    }


def _wanted() -> str | None:
    parameters = current_incoming().query()
    only_known(parameters, frozenset({"api"}))
    name: str | None = parameters.get("api")
    return name


def _credentials() -> tuple[Credentials, CallReport]:
    report = current_state().report = CallReport()
    session_id, authorization = request.cookies.get(COOKIE), request.headers.get("Authorization")
    return Credentials(session_id, authorization, request.remote_addr or ""), report
