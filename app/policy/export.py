"""Parameters of an export, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.definitions.definition import Definition, Exposure, Node
from app.errors import BadRequest
from app.policy import order, query

_PARAMETERS = frozenset({"domain", "fields", "order", "csv"})


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """An export that may be done: a domain of Odoo, an order, and the node that says what is shown."""

    domain: list[Any]
    node: Node
    order: str
    for_spreadsheets: bool


def export(parameters: Mapping[str, Any], definition: Definition, exposure: Exposure) -> ExportQuery:
    """Return the query of an export; raises BadRequest that names the parameter."""
    query.only_known(parameters, _PARAMETERS)
    kind = parameters.get("csv", "plain")
    if kind not in ("plain", "spreadsheet"):
        raise BadRequest("csv must be plain or spreadsheet.", name="invalid_csv", data={"parameter": "csv"})
    return ExportQuery(
        domain=query.matching(parameters, definition, exposure),
        node=query.narrow(exposure.node, parameters.get("fields")),
        order=order.check(parameters.get("order"), exposure.searchable, "id"),
        for_spreadsheets=kind == "spreadsheet",
    )
