"""The endpoint that aggregates records: contract section 8."""

from __future__ import annotations

from app.openapi import parameters
from app.openapi.described import Described, Description, describes
from app.openapi.rest import domain, exposure_of
from app.operations.actions import AGGREGATE
from app.operations.endpoints import Endpoint
from app.policy import aggregation

#: Most terms that a description lists.
_MOST_LISTED = 12


@describes(AGGREGATE)
def _aggregate(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    node = exposure.searchable
    keys, measures = list(aggregation.keys_of(node)), list(aggregation.measures_of(node))
    key = next(iter(keys), None)
    group = api.components.add(
        api.named(exposure, "group"),
        {
            "type": "object",
            "description": "The keys and measures that were asked for, under their names. A key without a value is "
            "empty as it is in records, a number null.",
            "additionalProperties": True,
        },
    )
    example = {"group": key, "aggregates": aggregation.COUNT} if key else {}
    return Description(
        summary=f"Count and add up {exposure.node.model.label}",
        text="Groups of the records that a search would find, by Odoo's `_read_group`. The parameters may also stand "
        "in the body of a QUERY (RFC 10008).",
        parameters=(
            domain(node),
            parameters.listed(
                "group",
                {"type": "string", "format": "group"},
                f"What records of a group have in common: {_listed(keys)}. Dates take a period (`day`, `week`, "
                "`month`, `quarter`, `year`, times also `hour`) or a part of it (`month_number`, `day_of_week`, …), in "
                "the time zone of the call. Without it all records are one group.",
                maxItems=aggregation.MAX_KEYS,
                **({"example": [key]} if key else {}),
            ),
            parameters.listed(
                "aggregates",
                {"type": "string", "format": "aggregate"},
                f"What is told of each group: {_listed(measures)}. Without it, `__count`.",
                maxItems=aggregation.MAX_MEASURES,
                example=[aggregation.COUNT],
            ),
            parameters.parameter(
                "having",
                "query",
                {"type": "string", "format": "having"},
                'Conditions on what is told, as `[["__count", ">", 5]]`; with `&`, `|` and `!` as in a domain.',
                example='[["__count", ">", 0]]' if key else "[]",
            ),
            parameters.parameter(
                "limit",
                "query",
                {"type": "integer", "minimum": 0, "maximum": api.document.max_page_size},
                "The most groups to return.",
            ),
            *parameters.shared("offset"),
            parameters.parameter(
                "order",
                "query",
                {"type": "string", "format": "order-of-groups"},
                "Keys and measures to sort groups by, for example `__count desc`; without it, by the keys.",
                example="__count desc" if key else "",
            ),
        ),
        result={
            "type": "object",
            "properties": {
                "length": {"type": "integer", "description": "How many groups there are, whatever the limit."},
                "groups": {"type": "array", "items": group},
            },
            "required": ["length", "groups"],
            "additionalProperties": False,
        },
        example={"length": 1, "groups": [{**({example["group"]: ""} if example else {}), aggregation.COUNT: 1}]},
    )


def _listed(terms: list[str]) -> str:
    """Return the first of some terms as a sentence has them."""
    shown = ", ".join(f"`{term}`" for term in terms[:_MOST_LISTED])
    return f"{shown}, …" if len(terms) > _MOST_LISTED else shown or "nothing here"
