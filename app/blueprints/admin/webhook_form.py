"""The forms of a webhook, checked as a client app's call is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, StopValidation

from app import literals
from app.blueprints.admin.forms import Choices, PanelForm, lines, named
from app.blueprints.admin.webhook_facts import Possible, version_of
from app.definitions.document import Strict
from app.definitions.problems import Problem, shape_problems
from app.errors import ApiError, BadRequest
from app.webhooks.document import EVENTS, WebhookChange, WebhookDocument
from app.webhooks.store import Webhook

T = TypeVar("T", bound=Strict)


def _some(form: Any, field: Any) -> None:
    """Refuse none; not by ``InputRequired``, with which browsers want each of the boxes ticked."""
    if not field.data:
        raise StopValidation("Tick one at least.")


class _WebhookForm(PanelForm):
    """The fields that a new webhook and a change of one share."""

    url = StringField("URL", [InputRequired(), Length(max=2000)])
    events = Choices(
        "Events", [_some], choices=named({event: event.capitalize() for event in EVENTS}), default=list(EVENTS)
    )
    fields = TextAreaField("Fields", [Length(max=20_000)])
    domain = TextAreaField("Only these records", [Length(max=literals.MAX_TEXT)])
    thin = BooleanField("Ids alone")

    def refuse_error(self, error: ApiError) -> None:
        """Put the message of an error beside the field that it names."""
        self.refuse([Problem((str(error.data.get("parameter", "")),), error.message)])

    def _read(self, kind: type[T], more: Mapping[str, Any]) -> T | None:
        """Return the sent form as what is asked for, or None with errors beside its fields."""
        possible, problems = self.validate(), []
        domain: Any = []
        try:
            domain = _domain(self.domain.data or "")
        except BadRequest as error:
            problems.append(Problem(("domain",), error.message))
        values = {
            "url": (self.url.data or "").strip(),
            "events": self.events.data,
            "fields": lines(self.fields.data) or None,
            "domain": domain,
            "thin": self.thin.data,
        }
        document = None
        try:
            document = kind.model_validate({**values, **more})
        except ValidationError as error:
            problems += shape_problems(error)
        self.refuse(problems)
        return document if possible and not problems else None


class NewWebhookForm(_WebhookForm):
    """A webhook that is to be: also whose, and of which records."""

    FIRST: ClassVar[tuple[str, ...]] = ("client", "api", "model")

    client = SelectField("Client app", coerce=int)
    api = SelectField("API")
    model = SelectField("Model")

    def offer(self, possible: Possible) -> None:
        """Take the choices; without APIs of several models there is no model to be chosen."""
        self.client.choices = named(possible.clients)
        self.api.choices = named(possible.apis)
        if possible.models:
            self.model.choices = named({"": "The only one of the API", **possible.models})
        else:
            del self.model

    def document(self) -> WebhookDocument | None:
        """Return the sent form as a document, or None with errors beside its fields."""
        model = self.model.data or None if "model" in self else None
        return self._read(WebhookDocument, {"api": self.api.data or "", "model": model})


class WebhookForm(_WebhookForm):
    """A webhook that is there. ``version`` says which state of it was seen."""

    version = HiddenField()

    def change(self) -> WebhookChange | None:
        """Return the sent form as a change, or None with errors beside its fields."""
        return self._read(WebhookChange, {})


def data_of(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as the form's data."""
    return {
        "version": version_of(webhook),
        "url": webhook.url,
        "events": list(webhook.events),
        "fields": "\n".join(webhook.fields or ()),
        "domain": domain_text(webhook.domain),
        "thin": webhook.thin,
    }


def domain_text(domain: list[Any]) -> str:
    """Return a domain as text; "" for one that leaves nothing out."""
    return json.dumps(domain, ensure_ascii=False) if domain else ""


def _domain(text: str) -> Any:
    """Return a domain that is written in JSON, or as in Odoo's own source; raises BadRequest."""
    return _plain(literals.parse(text, "domain")) if text.strip() else []


def _plain(value: Any) -> Any:
    """Tuples as lists: what is stored holds what JSON can."""
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
