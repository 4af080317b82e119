"""Choices for the forms, out of the real registry, as JSON for the panel's script."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from app.blueprints.admin import transactions
from app.blueprints.admin.editor import known_models
from app.blueprints.admin.view import PanelView, page
from app.catalog.odoo_source import OdooSource
from app.definitions.compiler import can_be_exposed
from app.definitions.secrets import GENERIC_METHODS, is_read_only_model, is_secret_model
from app.errors import NotFound
from odoo_bridge import methods, models, users
from odoo_bridge.transaction import Environment

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
        """Suggest models whose name or label holds ``q``."""
        wanted = _asked("q").lower()
        found = transactions.look(models.listing)
        return jsonify(
            [
                {"value": model.name, "label": model.label}
                for model in found
                if not is_secret_model(model.name) and wanted in f"{model.name} {model.label}".lower()
            ][:_MOST]
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
        found = [] if is_secret_model(model) else transactions.look(lambda root: methods.names(root, model))
        return jsonify([{"value": name, "label": doc} for name, doc in found if name not in GENERIC_METHODS])

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
    changeable = not is_read_only_model(name)
    return {
        "model": info.name,
        "label": info.label,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "type": field.type,
                "relation": field.relation,
                "searchable": field.searchable,
                "writable": field.writable and changeable,
                "required": field.required,
                "help": field.help,
            }
            for field in info.fields.values()
            if can_be_exposed(info, field.name)
        ],
    }
