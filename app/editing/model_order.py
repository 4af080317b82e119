"""Order of models for an admin who looks for one: those that people work with first, and what matches best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from app.definitions.secrets import is_read_only_model
from odoo_bridge.types import Count, ModelSummary

#: Beginnings of the names of models that keep Odoo and its chatter going.
_OF_ODOO_ITSELF = ("ir.", "base.", "bus.", "discuss.", "mail.")
_DEEPEST = 99


def is_business(model: ModelSummary) -> bool:
    """True if people work with a model: they find it in a menu, and it is none of Odoo's own, such as its groups."""
    own = model.name.startswith(_OF_ODOO_ITSELF) or is_read_only_model(model.name)
    return model.depth is not None and not own


def by_use(models: Iterable[ModelSummary], counts: Mapping[str, Count]) -> list[ModelSummary]:
    """Return models by how much they are used: those with records first, then by their place in the menus."""

    def rank(model: ModelSummary) -> tuple[bool, bool, int, int, str]:
        records = counts[model.name].number if model.name in counts else 0
        return not is_business(model), not records, model.depth or _DEEPEST, -records, model.label.lower()

    return sorted(models, key=rank)


def matching(models: Iterable[ModelSummary], text: str) -> list[ModelSummary]:
    """Return the models whose label, name or addon holds a text: the best first, else in the order given."""
    wanted = text.strip().lower()
    if not wanted:
        return list(models)
    ranked = [(rank, model) for model in models if (rank := _rank(model, wanted)) is not None]
    return [model for _, model in sorted(ranked, key=lambda pair: pair[0])]


def _rank(model: ModelSummary, wanted: str) -> int | None:
    label, name = model.label.lower(), model.name.lower()
    return _first(
        (
            wanted in (label, name),
            label.startswith(wanted) or name.startswith(wanted),
            f" {wanted}" in label or f".{wanted}" in name,
            wanted in label or wanted in name,
            wanted in model.addon.lower(),
        )
    )


def _first(fits: Collection[bool]) -> int | None:
    return next((number for number, fit in enumerate(fits) if fit), None)
