"""The endpoint that exports all that a search finds: contract section 8."""

from __future__ import annotations

from app.openapi import parameters
from app.openapi.described import Described, Description, describes
from app.openapi.parts import Json
from app.openapi.rest import domain, exposure_of
from app.operations.actions import EXPORT
from app.operations.endpoints import Endpoint
from app.operations.exports.export import CSV, NDJSON, PARQUET

_CONTENT: Json = {
    NDJSON: {"schema": {"type": "string", "description": "A record in each line, as a search has them."}},
    CSV: {"schema": {"type": "string", "description": "A line of names, and a line for each record (RFC 4180)."}},
    PARQUET: {"schema": {"type": "string", "format": "binary", "description": "Typed columns, named as those of CSV."}},
}


@describes(EXPORT)
def _export(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    order = "Fields to sort by; without it, by id."
    return Description(
        summary=f"Export {exposure.node.model.label}",
        text="All records that match, from one snapshot, in the type that `Accept` asks for. An answer that can't be "
        "finished is cut without its last chunk: take no part of one for the whole.",
        parameters=(
            domain(exposure.searchable),
            api.fields(exposure.node),
            parameters.parameter("order", "query", {"type": "string", "format": "order"}, order, example="id"),
            parameters.parameter(
                "csv",
                "query",
                {"enum": ["plain", "spreadsheet"], "type": "string"},
                "`spreadsheet` puts an apostrophe before text that a spreadsheet would run as a formula.",
            ),
        ),
        result={},
        content=_CONTENT,
    )
