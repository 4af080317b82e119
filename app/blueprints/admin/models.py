"""All models that can be exposed, each with the button that makes a draft of it."""

from __future__ import annotations

from flask import Response, request

from app.blueprints.admin import editor, transactions
from app.blueprints.admin.draft import draft
from app.blueprints.admin.view import PanelView, page, posted, wished_page
from app.definitions.secrets import is_secret_model
from app.web.services import services
from odoo_bridge import models
from odoo_bridge.models import Count, ModelSummary
from odoo_bridge.transaction import Environment

PER_PAGE = 40


class Models(PanelView):
    """Expose a model."""

    help = "panel#models"

    @page("/")
    def index(self) -> Response:
        """List the models, those that match first words of name, label or addon."""
        search, number = request.args.get("q", "").strip()[:100], wished_page()
        found, counts, total = transactions.look(lambda root: _listed(root, search, number))
        pages = max(1, -(-total // PER_PAGE))
        used = _used()
        return self.show(
            "panel/models.html",
            found=found,
            counts=counts,
            total=total,
            q=search,
            number=number,
            pages=pages,
            used=used,
        )

    @page("/expose", "POST")
    def expose(self) -> Response:
        """Make a draft, and open it."""
        model = posted("model")
        api_id = editor.create(lambda root, stored: draft(root, stored, model))
        return self.go("apis.edit", "A draft was made. Look at it, then publish it.", api_id=api_id)


def _listed(root: Environment, search: str, number: int) -> tuple[list[ModelSummary], dict[str, Count], int]:
    wanted = search.lower()
    found = [
        model
        for model in models.listing(root)
        if not is_secret_model(model.name) and wanted in f"{model.name} {model.label} {model.addon}".lower()
    ]
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    return shown, models.counts(root, [model.name for model in shown]), len(found)


def _used() -> dict[str, list[tuple[int, str]]]:
    """Return the APIs, as (id, name), that expose each model already."""
    used: dict[str, list[tuple[int, str]]] = {}
    for definition in services().catalog.snapshot.definitions.values():
        for entry in definition.document.models:
            used.setdefault(entry.model, []).append((definition.id, definition.name))
    return used
