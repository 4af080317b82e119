"""Properties: sub-fields whose definition lies on another record, the container (odoo/orm/fields_properties.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .transaction import Environment
from .types import FieldInfo

#: What is written: property names and their values. A list would let the writer change the definition.
Values = dict[str, Any]


def definition(
    env: Environment, model: str, name: str, *, record_id: int | None, values: Mapping[str, Any]
) -> tuple[dict[str, FieldInfo], Values]:
    """Return the properties of a record once ``values`` are written to it, and the values that stay.

    ``record_id`` is None for a record that is created. Properties of another container do not stay.
    """
    field = env.registry[model]._fields[name]
    container = field.definition_record
    if record_id is not None and container not in values:
        record = env[model].browse(record_id)
        return _infos(model, field._get_properties_definition(record)), dict(record[name]._values)
    draft = env[model].new({container: values[container]} if container in values else {})
    return _infos(model, field._get_properties_definition(draft)), {}


def _infos(model: str, definition: Any) -> dict[str, FieldInfo]:
    return {item["name"]: _info(model, item) for item in definition or () if item["type"] != "separator"}


def _info(model: str, item: Mapping[str, Any]) -> FieldInfo:
    options = item.get("tags") if item["type"] == "tags" else item.get("selection")
    return FieldInfo(
        model=model,
        name=item["name"],
        type=item["type"],
        label=item.get("string") or "",
        help="",
        required=False,
        has_default=True,
        writable=True,
        stored=True,
        searchable=False,
        sortable=False,
        translated=False,
        relation=item.get("comodel") or None,
        selection=tuple((option[0], option[1]) for option in options or ()),
        size=None,
        model_field=None,
        image=False,
        origin=(model, item["name"]),
        owns_lines=False,
        restricted=False,
        groups=None,
    )
