"""Visitor of the docs, by Odoo's session; and the form with which they leave."""

from __future__ import annotations

from flask import request
from flask_wtf import FlaskForm
from wtforms import SubmitField

from app.principal import Person
from app.web.current import current_report
from app.web.services import services
from odoo_bridge import sessions, users
from odoo_bridge.sessions import COOKIE
from odoo_bridge.transaction import Environment


class LogOutForm(FlaskForm):  # type: ignore[misc]
    """End the session, here and in Odoo."""

    submit = SubmitField("Log out")


def current_visitor() -> Person | None:
    """Return the person whose session the browser sends, None for a stranger."""
    sid = request.cookies.get(COOKIE)
    if not sid:
        return None

    def look_up(root: Environment) -> Person | None:
        found = sessions.resolve(root, sid)
        if found is None:
            return None
        current_report().session = found.renewal
        return Person(found.user.uid, found.user.login, users.is_administrator(root, found.user.uid))

    return services().transactions.run(look_up)
