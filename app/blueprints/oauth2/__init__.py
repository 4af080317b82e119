"""The authorization server: contract section 4, and the code flow for apps that act for a person."""

from __future__ import annotations

from flask import Flask, request
from flask_cors import CORS

from app.blueprints.oauth2 import approvals  # noqa: F401  one of the pages
from app.blueprints.oauth2.endpoints import blueprint as endpoints
from app.blueprints.oauth2.errors import init_errors
from app.blueprints.oauth2.pages import blueprint as pages
from app.operations.report import CallReport
from app.web.current import current_state
from app.web.incoming import refuse_nul

#: Seconds that a form of any page may stay open before it is sent: a working day.
_FORM_LIFETIME = 12 * 3600


def _prepare() -> None:
    current_state().report = CallReport()
    refuse_nul(request)


# Of the blueprints, once in a process, however many apps register them.
# Any page may use the endpoints: they take no cookies, and answer to credentials in the body alone.
CORS(endpoints, origins="*", send_wildcard=True, max_age=600)
init_errors(endpoints)
pages.before_request(_prepare)


def init_oauth2(app: Flask) -> None:
    """Register the endpoints and pages, and what their forms need."""
    app.config.update(
        SESSION_COOKIE_NAME="gatehouse_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/api/oauth2",
        WTF_CSRF_TIME_LIMIT=_FORM_LIFETIME,
    )
    app.register_blueprint(endpoints)
    app.register_blueprint(pages)
