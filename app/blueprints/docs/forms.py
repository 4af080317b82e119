"""The form with which the visitor of the docs leaves."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SubmitField


class LogOutForm(FlaskForm):  # type: ignore[misc]
    """End the session, here and in Odoo."""

    submit = SubmitField("Log out")
