"""The form of the settings that hold for all APIs: its fields, with the bounds of ``SystemSettings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional

from app.blueprints.admin.forms import PanelForm
from app.definitions.problems import Problem, shape_problems
from app.definitions.system import SystemSettings, bounds


def _number(label: str, name: str, **more: Any) -> IntegerField:
    least, most = bounds(name)
    required = Optional() if name == "max_body_size" else InputRequired()
    return IntegerField(label, [required, NumberRange(least, most)], **more)


class SystemForm(PanelForm):
    """Log, sizes, and tries with wrong credentials; the fields are called as the settings are."""

    log_retention_days = _number("Days that the request log is kept", "log_retention_days")
    changes_retention_days = _number("Days that changes are kept for those who follow them", "changes_retention_days")
    delivery_retention_days = _number("Days that deliveries of webhooks are kept", "delivery_retention_days")
    log_body_size = _number("Bytes that the log keeps of a body", "log_body_size")
    max_body_size = _number("Largest body of a request, in bytes", "max_body_size")
    login_tries_per_minute = _number("One account, one address, per minute", "login_tries_per_minute")
    login_tries_per_hour = _number("One account, one address, per hour", "login_tries_per_hour")
    address_tries_per_minute = _number("One address, per minute", "address_tries_per_minute")
    address_tries_per_hour = _number("One address, per hour", "address_tries_per_hour")
    account_tries_per_hour = _number("One account, any address, per hour", "account_tries_per_hour")

    def wanted(self, most_body: int) -> Mapping[str, Any] | None:
        """Return the settings that the form asks for; None where they can't be, which then stands at the fields.

        ``most_body`` is the body size in bytes that the environment allows.
        """
        possible = self.validate()
        values = {name: self[name].data for name in SystemSettings.model_fields}
        problems = []
        try:
            SystemSettings(**values)
        except ValidationError as error:
            problems = shape_problems(error)
        if (values["max_body_size"] or 0) > most_body:
            problems.append(Problem(("max_body_size",), f"GATEHOUSE_MAX_BODY_SIZE allows {most_body} at most"))
        self.refuse(problems)
        return values if possible and not problems else None
