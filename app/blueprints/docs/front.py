"""``/`` and ``/api``: where people and programs that know nothing but the address find the docs and the panel."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.web import answers
from app.web.pages import harden

blueprint = Blueprint("front", __name__)

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
#: What stands at the address, by the names of the views: no more than any stranger may know.
_LINKS = {
    "docs": "docs.page",
    "openapi": "docs.document",
    "panel": "admin.index",
    "token": "oauth2.token",
    "health": "health.alive",
}


@blueprint.get("/")
@blueprint.get("/api")
@blueprint.get("/api/")
def page() -> Response:
    """Show a page to browsers, and the same addresses to programs."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = harden(make_response(render_template("docs/front.html")), _POLICY)
    else:
        response = answers.success({name: url_for(view, _external=True) for name, view in _LINKS.items()})
    response.vary.add("Accept")
    return response
