"""The panel's guard: members of Odoo's group Settings come in, nobody else. All below /admin is closed by default.

The guard stands before every request by its path, whichever blueprint serves it, so no view can forget it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from app.operations.report import CallReport
from app.principal import Person
from app.web import pages
from app.web.current import current_request, current_state
from app.web.http_methods import is_safe
from app.web.incoming import refuse_nul
from app.web.persons import current_visitor
from app.web.routing import is_panel

#: What a stranger needs to log in. ``log_out`` is for those who are logged in and may see nothing else.
_FOR_STRANGERS = frozenset({"panel.log_in", "panel.second_step", "panel.static"})
_FOR_USERS = frozenset({"panel.log_out"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def init_guard(app: Flask) -> None:
    """Register the guard."""
    app.before_request(_admit)
    app.after_request(_harden)


def current_person() -> Person | None:
    """Return the person who is logged in, administrator or not."""
    return current_state().person


def refusal(template: str, status: int, **values: object) -> Response:
    """Return a page of the panel outside of its menu."""
    return make_response(render_template(template, csrf_token=generate_csrf, **values), status)


def safe_target(target: str) -> str:
    """Return the address to go on at after the login: one of the panel, whatever the request asked for."""
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets where an address would stand
        return url_for("admin.index")
    inside = not parts.scheme and not parts.netloc and parts.path.startswith("/admin/") and "\\" not in target
    return target if inside else url_for("admin.index")


def _admit() -> Response | None:
    if not is_panel(current_request().path):
        return None
    current_state().report = CallReport()
    if request.endpoint not in _FOR_STRANGERS:
        person = current_state().person = current_visitor()
        if person is None:
            following = request.full_path.rstrip("?") if is_safe(request.method) else None
            return make_response(redirect(url_for("panel.log_in", next=following), 303))
        if not person.administrator and request.endpoint not in _FOR_USERS:
            return refusal("panel/forbidden.html", 403, person=person)
    return _check_form()


def _check_form() -> Response | None:
    """Refuse requests of foreign pages: everything but a read carries the token of a form of ours."""
    if is_safe(request.method):
        return None
    refuse_nul(request)
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        message = "This form did not come from this panel, or was open for too long. Nothing has been changed."
        return refusal("panel/error.html", 400, title="Please send the form again", message=message)
    return None


def _harden(response: Response) -> Response:
    if is_panel(current_request().path):
        pages.harden(response, _POLICY, referrer="same-origin", opener="same-origin")
        response.headers["Cache-Control"] = "no-store"
    return response
