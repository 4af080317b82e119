"""The endpoints that name a record by the value of a key: contract section 9."""

from __future__ import annotations

from app.definitions.definition import Exposure
from app.definitions.document import EXTERNAL_ID
from app.openapi import examples, parameters
from app.openapi.components import Schema
from app.openapi.described import Described, Description, body, describes
from app.openapi.parts import Json
from app.openapi.rest import exposure_of
from app.operations.actions import DELETE_BY_KEY, READ_BY_KEY, UPSERT
from app.operations.endpoints import Endpoint

_NONE_BUT_ONE = "Where several records have the value, 409."


@describes(READ_BY_KEY)
def _read(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    return Description(
        summary=f"Read the record of {exposure.node.model.label} with this {endpoint.key}",
        text=f"As by its id. {_NONE_BUT_ONE}",
        parameters=(_value(api, endpoint, exposure), api.fields(exposure.node)),
        conditions=("If-None-Match",),
        headers=("ETag",),
        result=api.record(exposure, exposure.node),
        example=examples.record(api.definition, exposure.node),
    )


@describes(UPSERT)
def _upsert(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    shown = exposure.shown
    return Description(
        summary=f"Create or update the record of {exposure.node.model.label} with this {endpoint.key}",
        text="201 where it is new, 200 where it was there. Calls at the same time make "
        "one record. 409 where the value names no single record that the caller can save: several have it, or one that "
        "the caller can't see, or the record would not be found by it again.",
        parameters=(_value(api, endpoint, exposure), api.fields(shown)),
        conditions=("If-Match", "If-None-Match-Any", "Idempotency-Key"),
        headers=("ETag",),
        body=body({"one": (api.inputs(exposure).save(endpoint.key), _example(api, endpoint, exposure))}),
        result=api.written(exposure, shown),
        example=examples.record(api.definition, shown),
        creates=True,
    )


@describes(DELETE_BY_KEY)
def _delete(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    return Description(
        summary=f"Delete the record of {exposure.node.model.label} with this {endpoint.key}",
        text=f"Answers with its id. {_NONE_BUT_ONE}",
        parameters=(_value(api, endpoint, exposure),),
        conditions=("If-Match",),
        headers=("ETag",),
        result={"type": "array", "items": api.id(exposure)},
        example=[examples.record_id(api.definition, exposure.name)],
    )


def _value(api: Described, endpoint: Endpoint, exposure: Exposure) -> Json:
    """Return the parameter of the value: text, a number, or an id."""
    schema: Schema = {"type": "string", "minLength": 1}
    example: object = "A-1001"
    if endpoint.key != EXTERNAL_ID:
        info = exposure.node.fields[endpoint.key]
        if info.type == "integer":
            schema, example = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}, 1001
        elif info.relation:
            schema, example = api.records.id(info.relation), examples.record_id(api.definition, info.relation)
        elif info.size:
            schema, example = {**schema, "maxLength": info.size}, "A-1001"[: info.size]
    text = f"The {endpoint.key}: one segment of the path, in which a slash is written %2F."
    return parameters.parameter("value", "path", schema, text, required=True, example=example)


def _example(api: Described, endpoint: Endpoint, exposure: Exposure) -> Json:
    values = examples.values(api.definition, exposure)
    return {name: value for name, value in values.items() if name != endpoint.key}
