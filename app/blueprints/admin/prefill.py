"""A new API's form, filled in from its address: what Odoo's own *Expose API* opens. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.blueprints.admin import transactions
from app.blueprints.admin.api_form import data_of
from app.blueprints.admin.draft import draft
from app.catalog import store
from app.definitions.document import ApiDocument
from odoo_bridge.transaction import Environment

#: Most fields that an address names.
_MOST_FIELDS = 500


@dataclass(frozen=True, slots=True)
class Filled:
    """Values that fill the form, and those of the named fields that can't be exposed."""

    data: dict[str, Any]
    left_out: tuple[str, ...]


def from_address(arguments: Mapping[str, str]) -> Filled | None:
    """Return the model and fields of ``?model=res.partner&fields=name,email``, None where no model is named.

    Raises NotFound for a model that can't be exposed.
    """
    model = _clean(arguments.get("model", ""))
    if not model:
        return None
    names = [_clean(name) for name in arguments.get("fields", "").split(",")[:_MOST_FIELDS]]
    wished = [name for name in names if name]

    def work(root: Environment) -> Filled:
        document = ApiDocument.model_validate(draft(root, store.load(root.cr), model, wished))
        exposed = document.models[0].fields
        return Filled(data_of(document, 0), tuple(name for name in wished if name not in exposed))

    return transactions.look(work)


def _clean(text: str) -> str:
    return text.strip()[:200].replace("\x00", "")
