"""Rendering of the pages for persons."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template

from app.web.pages import harden


def see_other(location: str) -> Response:
    """Send the browser on, and tell the next page nothing of the address."""
    response = make_response(redirect(location, 303))
    response.headers["Referrer-Policy"] = "no-referrer"  # the address can hold a code
    return response


def page(template: str, *, status: int = 200, form_targets: str = "", **values: Any) -> Response:
    """Render a page that runs no script, loads nothing foreign, and stands in no frame."""
    response = make_response(render_template(template, **values), status)
    # A browser asks the policy also for the redirect that follows a form.
    parts = urlsplit(form_targets)
    target = f" {parts.scheme}://{parts.netloc}" if parts.netloc else f" {parts.scheme}:" if parts.scheme else ""
    forms = f"form-action 'self'{target}"
    return harden(response, f"default-src 'none'; style-src 'self'; {forms}; frame-ancestors 'none'; base-uri 'none'")
