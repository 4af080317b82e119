"""The form of a definition: its fields, what fills them, and the document that they add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import orjson
from wtforms import BooleanField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import DateInput

from app import literals
from app.blueprints.admin.findings import FieldError, Finding
from app.blueprints.admin.forms import Choices, PanelForm, lines, named
from app.definitions.document import SWITCHES, ApiDocument
from app.definitions.problems import Key, Problem
from app.editing import yaml_text
from app.errors import BadRequest
from app.json import MAX_DEPTH, is_too_deep

#: Keys of a model, as the form calls them.
_IN_WORDS: Mapping[Any, str] = {
    "model": "Model",
    "fields": "Show",
    "search_fields": "Search",
    "writable_fields": "Write",
    "domain": "Only these records",
    "endpoints": "Endpoints",
    "related": "Fields of related records",
    "upsert_keys": "Keys",
    "min_group_size": "Small groups",
}
#: Longest text of the definition's models, in characters.
_LONGEST = 400_000


class OptionsForm(PanelForm):
    """The keys of a definition that can have a system-wide default."""

    FIELD_OF_KEY: ClassVar[Mapping[str, str]] = {"endpoints": "operations"}

    type = SelectField(
        "Type",
        choices=named(
            {
                "rest": "REST: search, read and change records",
                "rpc": "RPC: call one method",
                "key_authentication": "Log in with an Odoo API key",
            }
        ),
    )
    mode = SelectField(
        "Mode", choices=named({"production": "Production", "test": "Test: each call is taken back when done"})
    )
    authentication = SelectField(
        "Who may call", choices=named({"user": "Users and client apps that log in", "public": "Anybody"})
    )
    run_as = StringField("Runs as", [Length(max=255)])
    operations = Choices("Operations", choices=named({name: name.capitalize().replace("_", " ") for name in SWITCHES}))
    http_methods = Choices("HTTP methods", choices=named(("GET", "POST")))
    id_obfuscation = BooleanField("Obfuscate ids")
    bulk = BooleanField("Many records in one call")
    chatter = BooleanField("Chatter in Odoo")
    webhooks = BooleanField("Webhooks")
    mcp = SelectField(
        "Tools for AI agents",
        coerce=lambda value: value if value in ("read", "write") else False,
        choices=named({False: "None", "read": "What reads", "write": "What reads and what writes"}),
    )
    mcp_approval = SelectField(
        "Writes of AI agents",
        choices=named(
            {
                "none": "Are done at once",
                "ask": "Are shown and asked for first",
                "person": "Wait for a person who is logged in",
            }
        ),
    )
    statistics = BooleanField("Count and log calls")
    log_bodies = BooleanField("Log bodies")
    masked_fields = TextAreaField("Fields that the log masks", [Length(max=20_000)])
    binary = SelectField("Images and files", choices=named({"url": "As addresses", "base64": "As base64 text"}))
    empty_values = SelectField("Empty values", choices=named({"blank": 'As "" and []', "null": "As null"}))
    application_errors = SelectField(
        "Errors of Odoo's own rules",
        coerce=int,
        choices=named({200: "Answer with status 200", 422: "Answer with status 422"}),
    )
    page_size = IntegerField("Records per page", [InputRequired(), NumberRange(1, 100_000)])
    max_page_size = IntegerField("Most records per page", [InputRequired(), NumberRange(1, 100_000)])
    max_bulk = IntegerField("Most records in one bulk call", [InputRequired(), NumberRange(1, 100_000)])
    rate_limit = StringField("Rate limit", [Optional(), Length(max=40)])
    cors_origins = TextAreaField("Web pages that may call", [Length(max=20_000)])
    deprecated = StringField("Deprecated from", [Length(max=40)], widget=DateInput())
    sunset = StringField("May be gone from", [Length(max=40)], widget=DateInput())

    def options(self) -> dict[str, Any]:
        """Return the keys of a document that this form holds."""
        return {
            **{name: _value(self[name]) for name in _PLAIN if name in self._fields},
            **{name: (self[name].data or "").strip() or None for name in _OR_NOTHING if name in self._fields},
            "cors_origins": lines(self.cors_origins.data),
            "masked_fields": lines(self.masked_fields.data),
            "http_methods": self.http_methods.data,
            "endpoints": {name: name in self.operations.data for name in SWITCHES},
        }


_PLAIN = (
    "type",
    "mode",
    "authentication",
    "id_obfuscation",
    "bulk",
    "chatter",
    "webhooks",
    "mcp",
    "mcp_approval",
    "statistics",
    "log_bodies",
    "binary",
    "empty_values",
    "application_errors",
    "page_size",
    "max_page_size",
    "max_bulk",
)


#: Texts that are nothing where the form's field is empty.
_OR_NOTHING = ("run_as", "rate_limit", "deprecated", "sunset")


class ApiForm(OptionsForm):
    """One API. ``revision`` says which version of it the admin has seen."""

    FIRST = ("name", "route", "type", "mode", "authentication", "run_as", "clients", "models", "method", "arguments")

    revision = HiddenField()
    name = StringField("Name", [InputRequired(), Length(max=200)])
    route = StringField("Route", [InputRequired(), Length(max=500)])
    clients = Choices("Client apps")
    method = StringField("Method", [Length(max=200)])
    arguments = TextAreaField("Arguments: ids and harmless ones", [Length(max=10_000)])
    models = TextAreaField("Models and fields", [Length(max=_LONGEST)])

    #: Labels of the models that the form names, for what is wrong with them.
    model_labels: Mapping[str, str] = MappingProxyType({})
    #: The models as they were read.
    entries: Sequence[Any] = ()

    def error(self, field: Any, problem: Problem, message: str) -> str:
        """Say of which model and key something is wrong."""
        if problem.top != "models" or len(problem.key) < 2:
            return message
        label = self._place_in_words(problem)
        place = (*problem.key[1:3], *filter(None, [problem.field]))
        return FieldError.of(Finding(label, message, field.id, place), f"{label}: {message}")

    def _place_in_words(self, problem: Problem) -> str:
        index, *inner = problem.key[1:]
        entry = self.entries[index] if isinstance(index, int) and index < len(self.entries) else None
        name = str(entry.get("model") or "") if isinstance(entry, dict) else ""
        label = self.model_labels.get(name)
        model = f"{label} ({name})" if label else name or f"Model {int(index) + 1}"
        return f"{model} – {_IN_WORDS.get(inner[0], inner[0])}" if inner else model

    def document(self, published: bool) -> tuple[dict[str, Any], list[Problem]]:
        """Return the document, unchecked, and what in the texts could not be read.

        What another type of API would need is left out: the page does not show it.
        """
        kind = self.type.data
        models, problems = _read_models(self.models.data or "") if kind != "key_authentication" else ([], [])
        self.entries = models if isinstance(models, list) else ()
        arguments, more = _read_arguments(self.arguments.data or "") if kind == "rpc" else ({}, [])
        values = {
            **self.options(),
            "name": (self.name.data or "").strip(),
            "route": (self.route.data or "").strip(),
            "published": published,
            "clients": self.clients.data,
            "method": ((self.method.data or "").strip() or None) if kind == "rpc" else None,
            "arguments": arguments,
            "models": models,
        }
        return values, [*problems, *more]

    @property
    def seen_revision(self) -> int:
        """Return the revision that the form was filled from; 0 for one that nobody can have seen."""
        return literals.to_number(self.revision.data or "") or 0


def data_of(document: ApiDocument, revision: int) -> dict[str, Any]:
    """Return a document as the form's data."""
    return {
        **options_of(document),
        "revision": str(revision),
        "name": document.name,
        "route": document.route,
        "clients": document.clients,
        "method": document.method or "",
        "arguments": "\n".join(f"{name}: {model}" for name, model in document.arguments.items()),
        "models": models_text([entry.model_dump(mode="json", exclude_defaults=True) for entry in document.models]),
    }


def options_of(document: ApiDocument) -> dict[str, Any]:
    """Return a document as data of the part that the form and the settings share."""
    return {
        **{name: getattr(document, name) for name in _PLAIN},
        **{name: getattr(document, name) or "" for name in _OR_NOTHING},
        "cors_origins": "\n".join(document.cors_origins),
        "masked_fields": "\n".join(document.masked_fields),
        "http_methods": list(document.http_methods),
        "operations": [name for name in SWITCHES if getattr(document.endpoints, name)],
    }


def _value(field: Any) -> Any:
    """Return the value of a field; the text that was typed where it has none."""
    return field.raw_data[0] if field.process_errors and field.raw_data else field.data


def models_text(models: list[dict[str, Any]]) -> str:
    """Return the entries of ``models`` as the text of the form: JSON, which is YAML too, and which the script reads."""
    return json.dumps(models, indent=1, ensure_ascii=False)


def _read_models(text: str) -> tuple[Any, list[Problem]]:
    """Return the list of models and what is wrong with it; the text itself where it can't be read."""
    try:
        models = orjson.loads(text) if text.strip() else []  # what the script sends, and much faster than YAML
    except ValueError:
        try:
            models = yaml_text.parse(text)
        except yaml_text.NotYaml as error:
            return text, [Problem(("models",), f"this is not YAML: {error}")]
    if is_too_deep(models):
        return text, [Problem(("models",), f"this is nested more than {MAX_DEPTH} levels deep")]
    if not isinstance(models, list):
        return text, [Problem(("models",), "this must be a list of models")]
    problems: list[Problem] = []
    return [_with_domain(entry, ("models", index, "domain"), problems) for index, entry in enumerate(models)], problems


def _with_domain(entry: Any, key: Key, problems: list[Problem]) -> Any:
    """Read a domain that is written as text, in JSON or as in Odoo's own source; one that can't be read stays text."""
    if not isinstance(entry, dict) or not isinstance(entry.get("domain"), str):
        return entry
    try:
        value = literals.parse(entry["domain"], "domain") if entry["domain"].strip() else []
    except BadRequest as error:
        problems.append(Problem(key, error.message))
        return entry
    return {**entry, "domain": _plain(value)}


def _plain(value: Any) -> Any:
    """Tuples as lists: a document holds what JSON can."""
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _read_arguments(text: str) -> tuple[Mapping[str, str], list[Problem]]:
    found = {}
    for line in lines(text):
        name, colon, model = (part.strip() for part in line.partition(":"))
        if not (name and colon and model):
            expected = "partner_id: res.partner, or default: harmless"
            return {}, [Problem(("arguments",), f"{line!r} should look like {expected}")]
        found[name] = model
    return found, []
