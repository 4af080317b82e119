"""All models that can be exposed, each with the button that makes a draft of it."""

from __future__ import annotations

from flask import Response, request

from app.blueprints.admin import editor, transactions
from app.blueprints.admin.draft import draft
from app.blueprints.admin.view import PanelView, page, posted, wished_page
from app.definitions.secrets import is_secret_model
from app.editing.model_order import by_use, is_business, matching
from app.web.services import services
from odoo_bridge import models
from odoo_bridge.transaction import Environment
from odoo_bridge.types import Count, ModelSummary

PER_PAGE = 40


class Models(PanelView):
    """Expose a model."""

    help = "panel#models"

    @page("/")
    def index(self) -> Response:
        """List the models that people work with; all of them where ``all=1`` or a search asks for them."""
        search, number, every = request.args.get("q", "").strip()[:100], wished_page(), bool(request.args.get("all"))
        found, counts, total = transactions.look(lambda root: _listed(root, search, every, number))
        return self.show(
            "panel/models.html",
            found=found,
            counts=counts,
            total=total,
            q=search,
            all=every,
            number=number,
            pages=max(1, -(-total // PER_PAGE)),
            used=_used(),
        )

    @page("/expose", "POST")
    def expose(self) -> Response:
        """Make a draft, and open it."""
        model = posted("model")
        api_id = editor.create(lambda root, stored: draft(root, stored, model))
        return self.go("apis.edit", "A draft was made. Look at it, then publish it.", api_id=api_id)


def _listed(
    root: Environment, search: str, every: bool, number: int
) -> tuple[list[ModelSummary], dict[str, Count], int]:
    """Return a page of models, their numbers of records, and how many models there are."""
    known = [model for model in models.listing(root) if not is_secret_model(model.name)]
    business = [model for model in known if is_business(model)]
    counts = models.counts(root, [model.name for model in business])
    found = matching(by_use(known if every or search else business, counts), search)
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    others = [model.name for model in shown if model.name not in counts]
    return shown, {**counts, **models.counts(root, others)}, len(found)


def _used() -> dict[str, list[tuple[int, str]]]:
    """Return the APIs, as (id, name), that expose each model already."""
    used: dict[str, list[tuple[int, str]]] = {}
    for definition in services().catalog.snapshot.definitions.values():
        for entry in definition.document.models:
            used.setdefault(entry.model, []).append((definition.id, definition.name))
    return used
