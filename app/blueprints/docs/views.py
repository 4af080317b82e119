"""``/api/openapi.json`` and ``/api/docs``: the document, and Swagger UI from a package of this machine to read it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, request, send_from_directory

from app.blueprints.docs import visible
from app.errors import BadRequest, NotFound
from app.openapi.documents import Documents
from app.operations.report import CallReport
from app.principal import Credentials
from app.web.current import current_incoming, current_state
from app.web.pages import harden
from app.web.routing import served_endpoints
from app.web.services import services
from odoo_bridge.sessions import COOKIE

blueprint = Blueprint(
    "docs", __name__, template_folder="templates", static_folder="static", static_url_path="/api/docs/own"
)

_SWAGGER_UI = Path(str(files("flask_swagger_ui"))) / "dist"
#: The files of Swagger UI that the page loads, and those that the OAuth2 code flow comes back to.
_FILES = frozenset(
    {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "oauth2-redirect.html", "oauth2-redirect.js"}
)
#: Swagger UI sets styles on elements and has its icons in data: addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
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
            raise NotFound("There is no such API.")
    content, etag = _documents.of(served, endpoints)
    response = Response(content, content_type="application/json")
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Authorization", "Cookie"))
    response.make_conditional(request)
    return response


@blueprint.get("/api/docs")
def page() -> Response:
    """Show the document, with which one can call the APIs."""
    return harden(make_response(render_template("docs.html")), _POLICY)


@blueprint.get("/api/docs/<name>")
def file(name: str) -> Response:
    """Serve a file of Swagger UI."""
    if name not in _FILES:
        raise NotFound("There is no such file.")
    response = harden(send_from_directory(_SWAGGER_UI, name), _POLICY)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _wanted() -> str | None:
    parameters = current_incoming().query()
    unknown = [name for name in parameters if name != "api"]
    if unknown:
        raise BadRequest(f"Unknown parameter {unknown[0][:80]!r}. Known are: api.", name="unknown_parameter")
    name: str | None = parameters.get("api")
    return name


def _credentials() -> tuple[Credentials, CallReport]:
    report = current_state().report = CallReport()
    session_id, authorization = request.cookies.get(COOKIE), request.headers.get("Authorization")
    return Credentials(session_id, authorization, request.remote_addr or ""), report
