"""The endpoint that takes records of any number: contract section 9, streams in.

A create takes the same bodies at its own address. There the document names JSON alone: where a request can be of
several types, generators leave it to the caller to say of which one it is, or make a union of the answers.
"""

from __future__ import annotations

from app.openapi.described import Described, Description, describes
from app.openapi.parts import Json
from app.openapi.rest import exposure_of, on_conflict
from app.operations.actions import IMPORT
from app.operations.endpoints import Endpoint
from app.operations.imports.starting import CSV, NDJSON

_BODIES: Json = {
    NDJSON: {
        "schema": {"type": "string", "description": "An object in each line, of any number."},
        "example": '{"name": "Example"}\n',
    },
    CSV: {
        "schema": {"type": "string", "description": "A line of fields, and a line for each record (RFC 4180)."},
        "example": "name\nExample\n",
    },
}
_ANSWER: Json = {
    NDJSON: {
        "schema": {
            "type": "string",
            "description": "An answer to each line, and a summary. Where that is missing, the import was cut.",
        },
        "example": '{"line": 1, "status": 201, "outcome": "created", "id": "AbCdE"}\n'
        '{"summary": {"lines": 1, "created": 1, "updated": 0, "failed": 0}}\n',
    },
}


@describes(IMPORT)
def _import(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    by_key = on_conflict(exposure)
    updates = "with `on_conflict` those are updated that are there already; " if by_key else ""
    return Description(
        summary=f"Import records of {exposure.node.model.label}",
        text=f"Each line makes a record; {updates}they are saved in pieces, and answered line by line while the body "
        f"comes in. `POST {endpoint.base}` takes the same bodies.",
        parameters=by_key,
        conditions=("If-Match", "If-None-Match-Any") if by_key else (),
        body={"required": True, "content": _BODIES},
        result={},
        content=_ANSWER,
    )
