"""Resources: what each API with tools holds, for models to read before they ask: models, fields, what can be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.definitions.definition import Definition, Exposure, Node
from app.mcp.messages import Json
from app.mcp.tools import Tool
from app.openapi import examples
from odoo_bridge.types import FieldInfo

MIME_TYPE = "application/json"
_SCHEME = "gatehouse://apis/"


@dataclass(frozen=True, slots=True)
class Resource:
    """The schema of an API: all that the caller's tools of it can meet."""

    uri: str
    definition: Definition
    tools: tuple[Tool, ...]

    def to_json(self) -> Json:
        """Return the resource as ``resources/list`` tells it (server/resources, "Resource")."""
        models = ", ".join(exposure.node.model.label for exposure in self.definition.exposures.values())
        return {
            "uri": self.uri,
            "name": self.definition.name,
            "title": f"What {self.definition.name} holds",
            "description": f"Fields, types, labels, choices and examples of {models}, and the tools for it.",
            "mimeType": MIME_TYPE,
        }

    def content(self) -> Json:
        """Return the text of the resource."""
        return {
            "api": self.definition.name,
            "test_mode": self.definition.document.keeps_nothing,
            "tools": {tool.name: tool.title for tool in self.tools},
            "models": [_model(self.definition, exposure) for exposure in self.definition.exposures.values()],
        }


def resources(listed: Iterable[Tool], names: Mapping[int, str]) -> list[Resource]:
    """Return the resources of these tools' APIs, in an order that is always the same; ``names`` are those of APIs."""
    by_api: dict[int, list[Tool]] = {}
    for tool in listed:
        by_api.setdefault(tool.endpoint.definition.id, []).append(tool)
    found = [
        Resource(f"{_SCHEME}{quote(names[api_id])}", tools[0].endpoint.definition, tuple(tools))
        for api_id, tools in by_api.items()
    ]
    return sorted(found, key=lambda resource: resource.uri)


def _model(definition: Definition, exposure: Exposure) -> Json:
    info = exposure.node.model
    return {
        "model": info.name,
        "label": info.label,
        "fields": _fields(exposure.node.only({*exposure.shown.fields, *exposure.writable_fields}), exposure),
        "example": examples.record(definition, exposure.shown),
    }


def _fields(node: Node, exposure: Exposure | None = None) -> Json:
    """Return the fields of a node by name; of the model's own it is told what can be done with each."""
    found = {}
    for name, info in node.fields.items():
        told = _field(info)
        if exposure is not None:
            told["search"], told["write"] = name in exposure.searchable.fields, name in exposure.writable_fields
        if name in node.related:
            told["fields"] = _fields(node.related[name])
        found[name] = told
    return found


def _field(info: FieldInfo) -> dict[str, Any]:
    told: dict[str, Any] = {"type": info.type, "label": info.label}
    if info.help:
        told["help"] = info.help
    if info.relation:
        told["of"] = info.relation
    if info.selection:
        told["choices"] = dict(info.selection)
    if info.must_be_given:
        told["required"] = True
    return told
