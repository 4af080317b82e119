"""The cookie that holds the key of forms: one for the panel, one for the docs, another for the pages of OAuth2."""

from __future__ import annotations

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from app.web.routing import is_panel

#: The page whose form logs out, and what is below it.
_DOCS = "/api/docs"


class FormSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, sent to the part of Gatehouse that it is for, and by HTTPS alone where it came so.

    The calls of APIs come without one, and spend no time on it.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request's cookie; without one there is no signature to look at."""
        if app.secret_key and not ("HTTP_COOKIE" in request.environ and self.get_cookie_name(app) in request.cookies):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie where there is something to say in it."""
        if session.accessed or session.modified or session:
            super().save_session(app, session, response)

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path of the part that the request is for."""
        if is_panel(request.path):
            return "/admin"
        return _DOCS if request.path.startswith(_DOCS) else super().get_cookie_path(app)

    def get_cookie_secure(self, app: Flask) -> bool:
        """True if the browser keeps the cookie from unencrypted connections."""
        return request.is_secure
