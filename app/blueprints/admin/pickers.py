"""Choices for the forms, out of the real registry, as JSON for the panel's script."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from app.blueprints.admin import transactions
from app.blueprints.admin.draft import needed, sensible
from app.blueprints.admin.editor import known_models
from app.blueprints.admin.guard import current_person
from app.blueprints.admin.view import PanelView, page
from app.catalog.odoo_source import OdooSource
from app.definitions.compiler import can_be_exposed
from app.definitions.harmless import undeclared
from app.definitions.secrets import GENERIC_METHODS, is_read_only_model, is_secret_model
from app.editing.field_order import by_importance
from app.editing.model_order import by_use, matching
from app.errors import NotFound
from app.literals import to_number
from odoo_bridge import methods, models, named_records, users
from odoo_bridge.transaction import Environment, act_as

#: Most suggestions for what has been typed.
_MOST = 50


class Pickers(PanelView):
    """Endpoints of the script; they stand in no menu."""

    def is_visible(self) -> bool:
        """Stay out of the menu."""
        return False

    @page("/")
    def index(self) -> Response:
        """There is nothing to see here."""
        raise NotFound("There is no such page.")

    @page("/models")
    def models(self) -> Response:
        """Suggest models whose name, label or addon holds ``q``: the best match first, then those that people use."""
        found = matching(by_use(transactions.look(models.listing), {}), _asked("q"))
        return jsonify(
            [{"value": model.name, "label": model.label} for model in found if not is_secret_model(model.name)][:_MOST]
        )

    @page("/fields")
    def fields(self) -> Response:
        """Describe the fields of ``model`` that can be exposed."""
        name = _asked("model")
        return jsonify(transactions.look(lambda root: _described(root, name)))

    @page("/methods")
    def methods(self) -> Response:
        """List the methods of ``model`` that an API may call."""
        model = _asked("model")
        found = [] if is_secret_model(model) else transactions.look(lambda root: methods.listing(root, model))
        return jsonify(
            [
                {"value": method.name, "label": method.doc, "signature": method.signature}
                for method in found
                if method.name not in GENERIC_METHODS
            ]
        )

    @page("/method")
    def method(self) -> Response:
        """Describe the method ``name`` of ``model``, and its arguments that a definition has to declare."""
        model, name = _asked("model"), _asked("name")
        return jsonify(transactions.look(lambda root: _described_method(root, model, name)))

    @page("/records")
    def records(self) -> Response:
        """Suggest records of ``model`` by name, or name those of ``ids``; as far as the admin may see them in Odoo."""
        model, text = _asked("model"), _asked("q")
        ids = [number for number in map(to_number, _asked("ids").split(",")) if number]

        def work(root: Environment) -> list[tuple[int, str]]:
            person = current_person()
            info = None if is_secret_model(model) else OdooSource(root, known_models(root)).model(model)
            if person is None or info is None or info.abstract:
                raise NotFound(f"There is no model {model!r} that can be exposed.")
            env = act_as(root, person.uid, dict(users.own_context(root, person.uid)))
            return named_records.named(env, model, ids) if ids else named_records.matching(env, model, text)

        return jsonify([{"value": number, "label": name} for number, name in transactions.look(work)])

    @page("/users")
    def users(self) -> Response:
        """Suggest active users whose login or name holds ``q``."""
        wanted = _asked("q")
        found = transactions.look(lambda root: users.matching(root, wanted))
        return jsonify([{"value": login, "label": name} for login, name in found])


def _asked(name: str) -> str:
    return request.args.get(name, "").strip()[:200].replace("\x00", "")


def _described(root: Environment, name: str) -> dict[str, Any]:
    info = None if is_secret_model(name) else OdooSource(root, known_models(root)).model(name)
    if info is None or info.abstract:
        raise NotFound(f"There is no model {name!r} that can be exposed.")
    allowed = {field.name: field for field in info.fields.values() if can_be_exposed(info, field.name)}
    suggested = sensible(root, name, allowed)
    must = needed(root, name, allowed)
    changeable = not is_read_only_model(name)
    return {
        "model": info.name,
        "label": info.label,
        "suggested": suggested,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "type": field.type,
                "relation": field.relation,
                "selection": field.selection,
                "searchable": field.searchable,
                "writable": field.writable and changeable,
                "needed": field.name in must and changeable,
                "help": field.help,
            }
            for field in by_importance(allowed.values(), suggested)
        ],
    }


def _described_method(root: Environment, model: str, name: str) -> dict[str, Any]:
    refused = is_secret_model(model) or name in GENERIC_METHODS or model not in root.registry
    info = None if refused else methods.describe(root, model, name)
    if info is None:
        raise NotFound(f"There is no method {name!r} of {model!r} that can be called.")
    reasons = dict(undeclared(info, ()))
    takes = [(parameter.name, not parameter.required, parameter.default) for parameter in info.parameters]
    takes += [(rest, True, None) for rest, _ in info.rest]
    return {
        "doc": info.doc,
        "on_model": info.on_model,
        "parameters": [
            {"name": name, "optional": optional, "default": default, "declare": reasons.get(name)}
            for name, optional, default in takes
        ],
    }
