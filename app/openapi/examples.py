"""Example values, made from compiled definitions alone: always the same, and valid for their types.

They stand in the OpenAPI document and in Postman collections, so they are what a client sends first: few fields, the
required ones before others. No record is looked up: an example id is one that no record has, so that an example that
is sent as it stands changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.definitions.definition import Definition, Exposure, Node
from app.definitions.ids import MAX_ID, PublicId
from app.operations.serialize.records import media_url
from odoo_bridge.types import FieldInfo, MethodInfo, Parameter

EXAMPLE_ID = MAX_ID
#: Most fields of an example body that are not required.
_OPTIONAL_FIELDS = 3
#: Fields that many models have, in the order in which an example takes them.
_KNOWN_TEXTS: Mapping[str, str] = {
    "name": "Example",
    "email": "info@example.com",
    "phone": "+1 202 555 0100",
    "street": "1 Example Street",
    "city": "Springfield",
    "zip": "12345",
    "website": "https://www.example.com",
}
_SCALARS: Mapping[str, Any] = {
    "html": "<p>Example</p>",
    "integer": 1,
    "float": 1.5,
    "monetary": 1.5,
    "boolean": True,
    "date": "2026-01-31",
    "datetime": "2026-01-31T08:00:00Z",
    "json": {"key": "value"},
}
#: Types that an example body takes without need, the plainest first.
_PLAIN_TYPES = ("char", "text", "selection", "date", "datetime", "integer", "float", "monetary", "boolean", "html")
#: "Example" in base64, and a PNG of one pixel.
_CONTENT = "RXhhbXBsZQ=="
_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def record_id(definition: Definition, model: str) -> PublicId:
    """Return an id of a model in the API's own form, which no record has."""
    return definition.ids.of(model).encode(EXAMPLE_ID)


def record(definition: Definition, node: Node) -> dict[str, Any]:
    """Return a record as an answer shows it at a node."""
    shown = {name: _shown(definition, node, info) for name, info in node.fields.items()}
    return {"id": record_id(definition, node.model.name), **shown}


def values(definition: Definition, exposure: Exposure, *, creating: bool = True) -> dict[str, Any]:
    """Return a body for ``exposure``: what a create needs and a little more, or what an update may change.

    Empty where no field is plainly writable.
    """
    infos = [info for name, info in exposure.node.fields.items() if name in exposure.writable_fields]
    required = [info for info in infos if creating and info.must_be_given]
    plain = sorted((info for info in infos if _is_plain(info) and info not in required), key=_preference)
    optional = plain[: max(0, (_OPTIONAL_FIELDS if creating else 1) - len(required))]
    return {info.name: written(definition, info) for info in (*required, *optional)}


def written(definition: Definition, info: FieldInfo) -> Any:
    """Return a value that can be written to a field."""
    if info.type == "many2one":
        return record_id(definition, info.relation or "")
    if info.to_many:
        return [record_id(definition, info.relation or "")]
    if info.type == "reference":
        return _reference(definition, info)
    if info.type == "many2one_reference":
        return None
    if info.type == "properties":
        return {}
    if info.type == "binary":
        return _IMAGE if info.image else _CONTENT
    return _scalar(info)


def arguments(definition: Definition, method: MethodInfo) -> dict[str, Any]:
    """Return keyword arguments of a method: those that it needs; ids where the definition declares them."""
    models = definition.document.argument_models
    return {
        parameter.name: _argument(definition, parameter, models)
        for parameter in method.parameters
        if parameter.keyword and (parameter.required or parameter.name in models)
    }


def _argument(definition: Definition, parameter: Parameter, models: Mapping[str, str]) -> Any:
    if parameter.name in models:
        example = record_id(definition, models[parameter.name])
        return [example] if parameter.name.endswith("s") else example
    return "example" if parameter.default is None else parameter.default


def _shown(definition: Definition, node: Node, info: FieldInfo) -> Any:
    related = node.related.get(info.name)
    if info.type == "many2one":
        example = record_id(definition, info.relation or "")
        return [example, record(definition, related) if related else _KNOWN_TEXTS["name"]]
    if info.to_many:
        return [record(definition, related) if related else record_id(definition, info.relation or "")]
    if info.type == "reference":
        return _reference(definition, info)
    if info.type == "many2one_reference":
        return "" if definition.document.empty_values == "blank" else None
    if info.type == "properties":
        return []
    if info.type == "binary":
        if definition.document.binary == "base64":
            return _IMAGE if info.image else _CONTENT
        return media_url(definition.id, node.model.name, record_id(definition, node.model.name), info)
    return _scalar(info)


def _scalar(info: FieldInfo) -> Any:
    if info.type == "selection":
        return info.selection[0][0] if info.selection else ""
    if info.type in _SCALARS:
        return _SCALARS[info.type]
    text = _KNOWN_TEXTS.get(info.name) or f"Example of {info.label}"
    return text[: info.size] if info.size else text


def _reference(definition: Definition, info: FieldInfo) -> str:
    if not info.selection:
        return ""
    model = info.selection[0][0]
    return f"{model},{record_id(definition, model)}"


def _is_plain(info: FieldInfo) -> bool:
    """True if an example may write a field without harm: its own, stored value, and nothing that hides the record."""
    return (
        info.type in _PLAIN_TYPES and info.stored and info.origin == (info.model, info.name) and info.name != "active"
    )


def _preference(info: FieldInfo) -> tuple[int, int]:
    known = list(_KNOWN_TEXTS)
    return (
        known.index(info.name) if info.name in known else len(known),
        _PLAIN_TYPES.index(info.type),
    )
