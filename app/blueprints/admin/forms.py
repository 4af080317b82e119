"""The forms of logging in, and what the others are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from wtforms import PasswordField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from app.blueprints.admin.findings import FieldError, Finding, in_words
from app.definitions.problems import Problem
from app.web.forms import PageForm


class PanelForm(PageForm):
    """A form of the panel: with the token that a foreign page cannot know, and all that is wrong with it at once."""

    #: The fields that stand first on the page, where that is not the order in which the classes name them.
    FIRST: ClassVar[tuple[str, ...]] = ()
    #: Fields by keys of a document that are called otherwise.
    FIELD_OF_KEY: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: What is wrong and belongs to no field.
        self.general: list[Finding] = []

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field by itself; of what is no number, it is not said too that it is none within bounds."""
        valid = bool(super().validate(extra_validators))
        for field in self._fields.values():
            field.errors = list(field.process_errors or field.errors)
        return valid

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Put each problem beside the field at fault, unless the field itself has found what is wrong with it."""
        said = {name for name, field in self._fields.items() if field.errors}
        labels = {key: str(field.label.text) for key, field in self._fields.items()}
        for problem in problems:
            name = self.FIELD_OF_KEY.get(problem.top, problem.top)
            message = in_words(problem.message, labels)
            if name not in self._fields:
                self.general.append(Finding("", message, ""))
            elif name not in said:
                self[name].errors = [*self[name].errors, self.error(self[name], problem, message)]

    def error(self, field: Any, problem: Problem, message: str) -> str:
        """Return the text that stands beside a field."""
        return message

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong, in the order of the page."""
        found = []
        for field in self._on_page():
            for error in field.errors:
                label = str(field.label.text)
                found.append(error.finding if isinstance(error, FieldError) else Finding(label, str(error), field.id))
        return [*found, *self.general]

    @property
    def first_at_fault(self) -> Any:
        """The first field with something wrong, or None: the page opens there."""
        return next((field for field in self._on_page() if field.errors), None)

    def _on_page(self) -> list[Any]:
        names = dict.fromkeys([*self.FIRST, *self._fields])
        return [self._fields[name] for name in names if name in self._fields]  # a form may be without some


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
