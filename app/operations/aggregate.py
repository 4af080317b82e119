"""Aggregation: sums, counts and the like of the records that a search would find, in groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.operations.serialize.groups import GroupSerializer
from app.operations.single import RecordOperations
from app.policy import aggregation
from odoo_bridge import aggregates


def aggregate(do: RecordOperations, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of groups, and the number of all.

    Raises ApiError and BridgeError.
    """
    wanted = aggregation.aggregate(parameters, do.definition, do.exposure)
    node = do.exposure.searchable
    related = {key.spec: node.related[key.spec].selection() for key in wanted.keys if key.spec in node.related}
    page = aggregates.groups(
        do.reader, do.model, wanted.domain, wanted.grouping, related, limit=wanted.limit, offset=wanted.offset
    )
    smallest = do.exposure.min_group_size
    if not wanted.keys and smallest > 1 and any(count < smallest for count in page.table.values[aggregation.COUNT]):
        return {"groups": [], "length": 0}
    rows = GroupSerializer(do.definition, node).rows(page.table, wanted.keys, wanted.measures)
    return {"groups": rows, "length": page.length.number}
