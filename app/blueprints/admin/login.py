"""Into the panel and out of it: the password of Odoo, then the code of users who have two factors."""

from __future__ import annotations

import time

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import generate_csrf

from app.auth import login
from app.auth.login import Attempt
from app.blueprints.admin.forms import CodeForm, LoginForm
from app.blueprints.admin.guard import safe_target
from app.errors import TooManyRequests
from app.web.hooks import set_session_cookie
from app.web.services import services
from odoo_bridge import second_factor, sessions
from odoo_bridge.credentials import SecondFactorRequired
from odoo_bridge.errors import Denied
from odoo_bridge.sessions import COOKIE, Login
from odoo_bridge.types import User

blueprint = Blueprint(
    "panel",
    __name__,
    url_prefix="/admin",
    template_folder="templates",
    static_folder="static",
    static_url_path="/assets",
)

#: Where the cookie of forms remembers whose password was right, and for how many seconds.
_PENDING, _PATIENCE = "pending", 300


@blueprint.route("/login", methods=["GET", "POST"])
def log_in() -> Response:
    """Ask for login and password; the password alone opens nothing for a user with two factors."""
    form, message = LoginForm(), ""
    if form.validate_on_submit():
        try:
            opened = login.with_password(
                services().transactions, services().throttle, _attempt(form.login.data, form.password.data)
            )
        except SecondFactorRequired as required:
            user = required.user
            if services().transactions.run(lambda root: second_factor.takes_code(root, user.uid)):
                return _ask_for_code(user)
            message = "Your second factor is not a code of an app. Please log in at Odoo, then come back here."
        except TooManyRequests as error:
            return _refused("panel/login.html", form, error)
        except Denied as error:
            message = error.message
        else:
            return _enter(opened)
    return _page("panel/login.html", form, message)


@blueprint.route("/login/code", methods=["GET", "POST"])
def second_step() -> Response:
    """Ask for the code of the second factor."""
    user = _pending()
    if user is None:
        return _to_login()
    form, message = CodeForm(), ""
    if form.validate_on_submit():
        try:
            opened = login.with_code(
                services().transactions, services().throttle, _attempt(user.login, form.code.data), user
            )
        except TooManyRequests as error:
            return _refused("panel/code.html", form, error)
        except Denied as error:
            message = error.message
        else:
            return _enter(opened)
    return _page("panel/code.html", form, message)


@blueprint.post("/logout")
def log_out() -> Response:
    """End the session, here and in Odoo."""
    sid = request.cookies.get(COOKIE)
    if sid:
        sessions.close_session(sid)
    session.clear()
    response = make_response(redirect(url_for("panel.log_in"), 303))
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _attempt(name: str, secret: str) -> Attempt:
    database, address = services().transactions.database, request.remote_addr or ""
    return Attempt(database, name, secret, address, request.cookies.get(COOKIE))


def _ask_for_code(user: User) -> Response:
    session[_PENDING] = {"uid": user.uid, "login": user.login, "at": time.time()}
    return make_response(redirect(url_for("panel.second_step", next=request.args.get("next")), 303))


def _pending() -> User | None:
    """Return the user whose password was right a moment ago; the cookie is signed."""
    found = session.get(_PENDING)
    if not found or time.time() - found["at"] > _PATIENCE:
        return None
    return User(found["uid"], found["login"])


def _enter(opened: Login) -> Response:
    session.clear()  # the forms get a new key: one from before the login is worth nothing after it
    response = make_response(redirect(safe_target(request.args.get("next", "")), 303))
    set_session_cookie(response, opened.sid, opened.max_age)
    return response


def _to_login() -> Response:
    return make_response(redirect(url_for("panel.log_in", next=request.args.get("next")), 303))


def _refused(template: str, form: object, error: TooManyRequests) -> Response:
    """Return the page with the status and ``Retry-After`` of too many tries."""
    page = _page(template, form, error.message)
    page.status_code = error.status
    page.headers.update(error.headers)
    return page


def _page(template: str, form: object, message: str) -> Response:
    text = render_template(template, form=form, message=message, csrf_token=generate_csrf)
    return make_response(text, 401 if message else 200)
