"""The form of a client app, checked as an entry of ``clients:`` in a definition file is."""

from __future__ import annotations

from pydantic import ValidationError
from wtforms import BooleanField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from app.blueprints.admin.forms import Choices, PanelForm, lines, named
from app.clients.document import ClientDocument
from app.clients.store import LIFETIME
from app.definitions.problems import shape_problems
from app.definitions.scopes import Scope

#: Scopes that a new client app has unless more are chosen: it looks, and changes nothing.
_LEAST = [Scope.SEARCH.value, Scope.READ.value]


class ClientForm(PanelForm):
    """Form of a client app: its scopes, APIs, user and addresses. ``version`` says which state was seen."""

    version = HiddenField()
    name = StringField("Name", [InputRequired(), Length(max=200)])
    user = StringField("Acts as", [Length(max=255)])
    scopes = Choices(
        "Scopes", choices=named({scope.value: f"{scope.value}: {scope.meaning}" for scope in Scope}), default=_LEAST
    )
    apis = Choices("APIs")
    lifetime = IntegerField("Lifetime of tokens", [InputRequired(), NumberRange(60, 30 * 24 * 3600)], default=LIFETIME)
    redirect_uris = TextAreaField("Redirect addresses", [Length(max=20_000)])
    metadata_hosts = TextAreaField("Hosts of clients that describe themselves", [Length(max=20_000)])
    resource_optional = BooleanField("Tools with any token")
    public = BooleanField("Without a secret")

    def document(self) -> ClientDocument | None:
        """Return the sent form as a document, or None with errors beside its fields."""
        possible = self.validate()
        values = {
            "name": (self.name.data or "").strip(),
            "user": (self.user.data or "").strip() or None,
            "scopes": self.scopes.data,
            "lifetime": self.lifetime.data,
            "redirect_uris": lines(self.redirect_uris.data),
            "metadata_hosts": lines(self.metadata_hosts.data),
            "resource_optional": bool(self.resource_optional.data),
        }
        try:
            document = ClientDocument.model_validate(values)
        except ValidationError as error:
            self.refuse(shape_problems(error))
            return None
        return document if possible else None
