"""Models and definitions made by hand, for the rules that take values and give values."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from app.definitions.definition import Definition, Exposure, Node
from app.definitions.document import ApiDocument
from app.definitions.ids import Ids
from odoo_bridge.types import FieldInfo, ModelInfo

PLAIN = Ids(None)


def field(name: str, kind: str = "char", relation: str | None = None, **other: Any) -> FieldInfo:
    """Return a stored field that can be searched, sorted and written, unless said otherwise."""
    values: dict[str, Any] = {
        "model": "test.model",
        "name": name,
        "type": kind,
        "label": name.title(),
        "help": "",
        "required": False,
        "has_default": False,
        "writable": True,
        "stored": True,
        "searchable": True,
        "sortable": True,
        "translated": False,
        "relation": relation,
        "selection": (),
        "size": None,
        "model_field": None,
        "image": False,
        "origin": ("test.model", name),
        "owns_lines": False,
        "restricted": False,
        "groups": None,
    }
    return FieldInfo(**{**values, **other})


def node(*fields: FieldInfo, model: str = "test.model", related: dict[str, Node] | None = None, **other: Any) -> Node:
    """Return a node that shows these fields of a model, which has no others."""
    by_name = {each.name: each for each in fields}
    values: dict[str, Any] = {
        "name": model,
        "label": model,
        "abstract": False,
        "transient": False,
        "order": "name",
        "active_field": None,
        "parent_field": None,
        "name_search_fields": ("name",),
        "fields": MappingProxyType(by_name),
    }
    return Node(ModelInfo(**{**values, **other}), MappingProxyType(by_name), MappingProxyType(related or {}))


def exposure(shown: Node, *, writable: tuple[str, ...] = (), domain: tuple[Any, ...] = ()) -> Exposure:
    """Return an exposure of which all that is shown can be searched."""
    return Exposure(shown, shown, frozenset(writable), domain, all_fields=False)


def definition(**keys: Any) -> Definition:
    """Return a definition of an API with one model, without anything that only Odoo knows."""
    document = ApiDocument.model_validate(
        {"name": "Test", "route": "/api/test", "models": [{"model": "test.model", "fields": ["name"]}], **keys}
    )
    return Definition(1, 1, document, PLAIN, MappingProxyType({}), None, None, "salt", None)  # type: ignore[arg-type]
