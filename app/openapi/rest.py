"""The endpoints of APIs of type rest: contract section 2."""

from __future__ import annotations

from typing import cast

from app.definitions.definition import Exposure, Node
from app.openapi import examples, parameters
from app.openapi.components import Schema
from app.openapi.described import Described, Description, body, describes
from app.openapi.parts import Json
from app.openapi.schemas import choice
from app.operations.actions import (
    CREATE,
    DELETE,
    DELETE_MANY,
    READ,
    READ_MANY,
    SEARCH,
    UPDATE,
    UPDATE_MANY,
)
from app.operations.endpoints import Endpoint

#: What a filter is, for the description of ``domain``.
_DOMAIN = (
    'A filter in Odoo\'s own form, as JSON or Python literal, for example `[["id", ">", 0]]`; all operators of Odoo, '
    "and `&`, `|`, `!` before the conditions. It can name `id`"
)


#: What ``on_conflict`` makes of a create.
_UPSERTS = (
    "With `on_conflict` a record is updated where there is one with the same value of that key: an object answers with "
    "it and 201 or 200, an array with `status` and `outcome` for each."
)


@describes(SEARCH)
def _search(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    node = exposure.searchable
    result: Schema = {
        "type": "object",
        "properties": {
            "length": {"type": ["integer", "null"], "description": "How many records match, whatever the limit."},
            "has_more": {
                "type": "boolean",
                "description": "With count=estimate or count=none: whether more records follow.",
            },
            "estimated": {"type": "boolean", "description": "With count=estimate: whether `length` is an estimate."},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "With paging=cursor: what leads to the next page; null on the last one.",
            },
            "records": {"type": "array", "items": api.record(exposure, node)},
        },
        "required": ["length", "records"],
        "additionalProperties": False,
    }
    limit = {"type": "integer", "minimum": 0, "maximum": api.document.max_page_size}
    order = (
        "Fields to sort by, for example `name desc, id`; without it, the model's own order, and by id with "
        "`paging=cursor`, which takes columns of the model alone."
    )
    return Description(
        summary=f"Search {exposure.node.model.label}",
        text="The parameters may also stand in the body: of the GET, or of a QUERY (RFC 10008) to the same address, "
        "with Content-Type application/json or application/x-www-form-urlencoded.",
        parameters=(
            domain(node),
            api.fields(node),
            parameters.parameter(
                "limit", "query", {**limit, "default": api.document.page_size}, "The most records to return."
            ),
            *parameters.shared("offset", "paging", "cursor"),
            parameters.parameter("order", "query", {"type": "string", "format": "order"}, order, example="id"),
            *parameters.shared("count"),
        ),
        result=result,
        headers=("Link",),
        example={"length": 1, "records": [examples.record(api.definition, node)]},
    )


@describes(READ)
def _read(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    return Description(
        summary=f"Read a record of {exposure.node.model.label}",
        text="Answers with an `ETag`, by which a later write can make sure that nothing has changed since.",
        parameters=(_one(api, exposure), api.fields(exposure.node)),
        conditions=("If-None-Match",),
        headers=("ETag",),
        result=api.record(exposure, exposure.node),
        example=examples.record(api.definition, exposure.node),
    )


@describes(READ_MANY)
def _read_many(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    ids = parameters.listed("ids", api.id(exposure), "The records.", maxItems=api.document.max_bulk)
    return Description(
        summary=f"Read several records of {exposure.node.model.label}",
        text="In the order of the ids.",
        parameters=({**ids, "required": True}, *parameters.shared("atomic"), api.fields(exposure.node)),
        result=api.items(exposure, "read", api.record(exposure, exposure.node)),
        example=[examples.record(api.definition, exposure.node)],
    )


@describes(CREATE)
def _create(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    label, shown = exposure.node.model.label, exposure.shown
    one = api.inputs(exposure).create()
    example, answer = examples.values(api.definition, exposure), examples.record(api.definition, shown)
    written = api.written(exposure, shown)
    by_key = on_conflict(exposure)
    told = _UPSERTS if by_key else ""
    conditions = ("Idempotency-Key", *(("If-Match", "If-None-Match-Any") if by_key else ()))
    headers = ("ETag",) if by_key else ()
    if "bulk_create" not in exposure.switches:
        return Description(
            summary=f"Create a record of {label}",
            text=f"Answers with the record as it is then. {told}".strip(),
            parameters=(*by_key, api.fields(shown)),
            conditions=conditions,
            headers=headers,
            body=body({"one": (one, example)}),
            result=written,
            example=answer,
            creates=bool(by_key),
        )
    several = api.inputs(exposure).create_many()
    forms = body({"one": (one, example), "several": (several, [example])})
    return Description(
        summary=f"Create records of {label}",
        text=f"An object makes one record and answers with it, an array several. {told}".strip(),
        parameters=(*parameters.shared("atomic"), *by_key, api.fields(shown)),
        conditions=conditions,
        headers=headers,
        body=forms,
        result={"oneOf": [written, api.items(exposure, "written", written, upserts=bool(by_key))]},
        example=answer,
        creates=bool(by_key),
    )


@describes(UPDATE)
def _update(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    values = api.inputs(exposure).update()
    shown = exposure.shown
    return Description(
        summary=f"Update a record of {exposure.node.model.label}",
        text="Writes the fields that are given, and no others; answers with the record as it is then.",
        parameters=(_one(api, exposure), api.fields(shown)),
        conditions=("If-Match",),
        headers=("ETag",),
        body=body({"one": (values, examples.values(api.definition, exposure, creating=False))}),
        result=api.written(exposure, shown),
        example=examples.record(api.definition, shown),
    )


@describes(UPDATE_MANY)
def _update_many(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    schema = api.inputs(exposure).update_many()
    values = examples.values(api.definition, exposure, creating=False)
    record_id = examples.record_id(api.definition, exposure.name)
    shown = exposure.shown
    return Description(
        summary=f"Update several records of {exposure.node.model.label}",
        text="An array writes own values to each record, an object common values to all.",
        parameters=(*parameters.shared("atomic"), api.fields(shown)),
        body=body({"own": (schema, [{"id": record_id, **values}]), "common": (schema, {"ids": [record_id], **values})}),
        result=api.items(exposure, "written", api.written(exposure, shown)),
        example=[examples.record(api.definition, shown)],
    )


@describes(DELETE)
def _delete(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    return Description(
        summary=f"Delete a record of {exposure.node.model.label}",
        text="Answers with its id.",
        parameters=(_one(api, exposure),),
        conditions=("If-Match",),
        headers=("ETag",),
        result={"type": "array", "items": api.id(exposure)},
        example=[examples.record_id(api.definition, exposure.name)],
    )


@describes(DELETE_MANY)
def _delete_many(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    schema = api.inputs(exposure).delete_many()
    ids = [examples.record_id(api.definition, exposure.name)]
    return Description(
        summary=f"Delete several records of {exposure.node.model.label}",
        text="All or none, unless `atomic=false`; answers with their ids.",
        parameters=tuple(parameters.shared("atomic")),
        body=body({"ids": (schema, ids), "object": (schema, {"ids": ids})}),
        result=api.items(exposure, "deleted", api.id(exposure)),
        example=ids,
    )


def exposure_of(endpoint: Endpoint) -> Exposure:
    """Return the model of an endpoint: the compiler gives every one of an API without problems one."""
    return cast(Exposure, endpoint.exposure)


def domain(node: Node) -> Json:
    """Return the parameter ``domain``: a filter by what is shown of a node."""
    names = ", ".join(f"`{name}`" for name in node.fields)
    text = f"{_DOMAIN}, {names}, and paths through relations whose fields are shown."
    schema = {"type": "string", "format": "domain", "default": "[]"}
    return parameters.parameter("domain", "query", schema, text, example='[["id", ">", 0]]')


def on_conflict(exposure: Exposure) -> tuple[Json, ...]:
    """Return the parameter that makes an upsert of a create, where the model has keys."""
    if not exposure.upsert_keys or "update" not in exposure.switches:
        return ()
    text = "Update the record that has the same value of this key, where there is one. Needs the scope `update` too."
    return (parameters.parameter("on_conflict", "query", choice(exposure.upsert_keys), text),)


def _one(api: Described, exposure: Exposure) -> Json:
    return parameters.parameter("id", "path", api.id(exposure), "The record.", required=True)
