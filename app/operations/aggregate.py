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
    smallest = do.exposure.min_group_size
    alone = not wanted.keys  # Odoo knows no pages and no conditions of the one group then
    limit, offset = (1, 0) if alone else (wanted.limit, wanted.offset)
    page = aggregates.groups(do.reader, do.model, wanted.domain, wanted.grouping, related, limit=limit, offset=offset)
    if alone and page.table.values[aggregation.COUNT][0] < smallest and smallest > 1:
        return {"groups": [], "length": 0}
    rows = GroupSerializer(do.definition, node).rows(page.table, wanted.keys, wanted.measures)
    if alone:
        rows = rows[wanted.offset :][: wanted.limit]
    return {"groups": rows, "length": page.length.number}
