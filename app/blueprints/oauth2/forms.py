"""The forms of the pages for persons. Flask-WTF puts a token into each that a foreign page cannot know."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from app.web.forms import PageForm


class LoginForm(PageForm):
    """Log in with a password of Odoo."""

    login = StringField("Login", [InputRequired(), Length(max=255)])
    password = PasswordField("Password", [InputRequired(), Length(max=4096)])
    submit = SubmitField("Log in")


class ConsentForm(PageForm):
    """Allow or refuse what a client app asks for."""

    allow = SubmitField("Allow")
    refuse = SubmitField("Refuse")


class ApprovalForm(PageForm):
    """Approve or refuse what an AI agent wants to change."""

    approve = SubmitField("Approve")
    refuse = SubmitField("Refuse")


class WithdrawForm(PageForm):
    """Withdraw a consent."""

    client = HiddenField(validators=[InputRequired()])
    url = HiddenField()
    submit = SubmitField("Withdraw")
