"""The form with which the visitor of the docs leaves."""

from __future__ import annotations

from wtforms import SubmitField

from app.web.forms import PageForm


class LogOutForm(PageForm):
    """End the session, here and in Odoo."""

    submit = SubmitField("Log out")
