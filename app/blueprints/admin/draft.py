"""A draft for a model: a definition with sensible fields, from the system-wide defaults."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.blueprints.admin.editor import known_models
from app.catalog.odoo_source import OdooSource
from app.catalog.store import Stored
from app.definitions.compiler import compile_document
from app.definitions.document import ApiDocument
from app.definitions.secrets import is_secret_model
from app.editing.defaults import stored_defaults
from app.editing.field_order import is_technical
from app.errors import NotFound
from odoo_bridge import models
from odoo_bridge.transaction import Environment
from odoo_bridge.types import FieldInfo

#: Most fields that a draft begins with.
_MOST_FIELDS = 25


def draft(root: Environment, stored: Stored, model: str, wished: Collection[str] = ()) -> dict[str, Any]:
    """Return a definition of type rest for a model, not published; raises NotFound for one that can't be exposed.

    It exposes those of the fields ``wished`` that can be, and sensible ones where that leaves none.
    """
    info = None if is_secret_model(model) else OdooSource(root, known_models(root)).model(model)
    if info is None or info.abstract or info.transient:
        raise NotFound(f"There is no model {model!r} that can be exposed.")
    document = {
        **stored_defaults(stored),
        "name": unused(info.label, (str(api.document["name"]) for api in stored.apis), " "),
        "route": unused(f"/api/{_slug(model)}", (str(api.document["route"]) for api in stored.apis), "-"),
        "type": "rest",
        "published": False,
        "models": [{"model": model, "fields": "all"}],
    }
    return {**document, "models": [{"model": model, "fields": _fields(root, document, model, wished)}]}


def unused(wish: str, taken: Iterable[str], separator: str) -> str:
    """Return a name that nothing has yet: the wish itself, else with a number behind it."""
    names = set(taken)
    number, name = 1, wish
    while name in names:
        number += 1
        name = f"{wish}{separator}{number}"
    return name


def _slug(model: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-") or "model"


def _fields(root: Environment, document: Mapping[str, Any], model: str, wished: Collection[str]) -> list[str]:
    """Return those of the wished fields that may be exposed, with what a new record needs; else sensible ones."""
    checked = ApiDocument.model_validate(dict(document))
    definition = compile_document(checked, OdooSource(root, known_models(root)))
    allowed = definition.exposures[model].node.fields
    known = [name for name in dict.fromkeys(wished) if name in allowed]
    if not known:
        return sensible(root, model, allowed)
    return [*(name for name in needed(root, model, allowed) if name not in known), *known]


def sensible(root: Environment, model: str, allowed: Mapping[str, FieldInfo]) -> list[str]:
    """Return the fields that tell most of a record; else whatever is plain, and at least its name."""
    plain = {name: field for name, field in allowed.items() if _is_plain(field)}
    found = _telling(root, model, plain) or list(plain)
    return found[:_MOST_FIELDS] or ["display_name"]


def needed(root: Environment, model: str, allowed: Mapping[str, FieldInfo]) -> list[str]:
    """Return the fields that a new record needs, its name among them: Odoo may ask for that by a constraint alone.

    Links to the parents of ``_inherits`` are left out: Odoo makes those itself.
    """
    parents = models.parent_links(root, model)
    must = [name for name, field in allowed.items() if field.must_be_given and name not in parents]
    wanted = dict.fromkeys([models.title_field(root, model) or "", *must])
    return [name for name in wanted if name in allowed and allowed[name].writable]


def _telling(root: Environment, model: str, plain: Mapping[str, FieldInfo]) -> list[str]:
    """Return the record's name, what a new record needs, and what Odoo's own list shows."""
    title = models.title_field(root, model) or ""
    wanted = dict.fromkeys([title, *needed(root, model, plain), *models.columns(root, model)])
    return [name for name in wanted if name in plain]


def _is_plain(field: FieldInfo) -> bool:
    """True if a field says something about the record itself; activities and messages are for Odoo's own pages."""
    return field.type not in ("properties", "json") and not is_technical(field)
