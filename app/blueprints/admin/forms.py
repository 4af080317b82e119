"""The forms of logging in, and what the others are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from app.blueprints.admin.guard import FORM_LIFETIME


class PanelForm(FlaskForm):  # type: ignore[misc]
    """A form of the panel: with the token that a foreign page cannot know."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """A form may stay open for a working day."""

        csrf_time_limit = FORM_LIFETIME


class Choices(SelectMultipleField):  # type: ignore[misc]
    """Several of a list, as checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class LoginForm(PanelForm):
    """Log in with a password of Odoo."""

    login = StringField("Login", [InputRequired(), Length(max=255)])
    password = PasswordField("Password", [InputRequired(), Length(max=4096)])


class CodeForm(PanelForm):
    """The second step: a code of an authenticator app."""

    code = StringField("Six-digit code", [InputRequired(), Length(max=20)])


def named(labels: Mapping[Any, str] | Iterable[str]) -> list[SelectChoice]:
    """Return the choices of a field: values with labels, or values that speak for themselves."""
    if isinstance(labels, Mapping):
        return [SelectChoice(value, label) for value, label in labels.items()]
    return [SelectChoice(value, value) for value in labels]


def lines(text: str | None) -> list[str]:
    """Return the lines of a text, without blanks around them and without the empty ones."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]
