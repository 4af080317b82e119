"""Base of the forms of all pages for persons: panel, docs, OAuth2."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_wtf import FlaskForm


class PageForm(FlaskForm):  # type: ignore[misc]
    """A form with the token that a foreign page cannot know, filled in from forms alone."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Data of a form: no browser sends a page's form as JSON, which Flask-WTF would take for one."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Return the data that was sent, None where none was."""
            return None if request.is_json else super().wrap_formdata(form, formdata)
