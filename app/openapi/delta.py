"""The endpoint that tells what has changed: contract section 10."""

from __future__ import annotations

from app.definitions.definition import Node
from app.openapi import examples, parameters
from app.openapi.components import Schema
from app.openapi.described import Described, Description, describes
from app.openapi.rest import exposure_of
from app.operations.actions import DELTA
from app.operations.endpoints import Endpoint


@describes(DELTA)
def _delta(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    node = exposure.node
    record = api.record(exposure, node)
    change = api.components.add(
        api.named(exposure, "change"),
        {
            "type": "object",
            "properties": {
                "op": {
                    "enum": ["upsert", "removed"],
                    "type": "string",
                    "description": "`upsert`: the record is to be had as it is given. `removed`: it is to be dropped.",
                },
                "id": api.id(exposure),
                "record": {**record, "description": "The record as it is now, and only with `upsert`."},
            },
            "required": ["op", "id"],
            "additionalProperties": False,
        },
    )
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": api.document.max_page_size}
    return Description(
        summary=f"Follow the changes of {node.model.label}",
        text="Without `token` all records, in pages; then, by the `delta_token` of each answer, all that was committed "
        "since, whoever wrote it; with `Accept: text/event-stream` as a stream that goes on. A token that is too old "
        f"is answered with 410: begin anew. {_unwatched(node)}",
        parameters=(
            parameters.parameter(
                "token",
                "query",
                {"type": "string", "format": "delta-token"},
                "The `next_token` or `delta_token` of the answer before; `latest` begins at now, without the records.",
                example="latest",
            ),
            api.fields(node),
            parameters.parameter(
                "limit", "query", {**limit, "default": api.document.page_size}, "The most records to return."
            ),
        ),
        result={
            "type": "object",
            "properties": {
                "records": {"type": "array", "items": record, "description": "In a pass over all records."},
                "changes": {"type": "array", "items": change, "description": "With the `delta_token` of such a pass."},
                "more": {"type": "boolean", "description": "Whether more is there at once."},
                "next_token": {"type": "string", "description": "What leads to the next page of a pass."},
                "delta_token": {"type": "string", "description": "What leads to the changes from here on."},
                "lag": {
                    "type": "number",
                    "minimum": 0,
                    "description": "Seconds by which this is behind: the age of the oldest transaction that writes.",
                },
            },
            "required": ["more", "lag"],
            "additionalProperties": False,
        },
        headers=("Link",),
        example={
            "changes": [{"op": "removed", "id": examples.record_id(api.definition, exposure.name)}],
            "more": False,
            "delta_token": "AQ",
            "lag": 0.0,
        },
    )


def _unwatched(node: Node) -> str:
    """Return a sentence about the fields whose changes are no changes of a record."""
    names = [f"`{name}`" for name, info in node.fields.items() if not info.followed]
    of_others = "names and fields of related records"
    told = f"{', '.join(names)} and {of_others}" if names else of_others[0].upper() + of_others[1:]
    return f"Not watched, as they are not stored with the record: {told}."
