"""The cookie that holds the key of forms: one for the panel, another for the pages of OAuth2."""

from __future__ import annotations

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface

from app.routing import is_panel


class FormSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, sent to the part of Gatehouse that it is for, and by HTTPS alone where it came so."""

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path of the part that the request is for."""
        return "/admin" if is_panel(request.path) else super().get_cookie_path(app)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the browser keeps the cookie from unencrypted connections."""
        return request.is_secure
