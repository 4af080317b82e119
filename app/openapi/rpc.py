"""The operations of an API of type rpc: contract section 3."""

from __future__ import annotations

from typing import Any, cast

from app.definitions.definition import Exposure
from app.openapi import examples, parameters
from app.openapi.components import Schema, class_name
from app.openapi.described import Described, Description, describes
from app.openapi.parts import Json
from app.openapi.schemas import plain_id
from app.operations.actions import CALL, CALL_ON_RECORD, CALL_ON_RECORDS
from app.operations.endpoints import Endpoint
from odoo_bridge.types import MethodInfo, Parameter

_TARGETS = {CALL: "", CALL_ON_RECORD: " on a record", CALL_ON_RECORDS: " on several records"}


@describes(CALL, CALL_ON_RECORD, CALL_ON_RECORDS)
def _call(api: Described, endpoint: Endpoint) -> Description:
    # The compiler gives an API without problems both.
    method, exposure = cast(MethodInfo, api.definition.method), cast(Exposure, endpoint.exposure)
    taken = _records(api, endpoint, exposure)
    is_get, on_record = endpoint.method == "GET", endpoint.action is CALL_ON_RECORD
    if is_get:
        taken += [_by_query(api, each) for each in method.parameters if each.keyword]
    return Description(
        summary=f"Call {method.name}{_TARGETS[endpoint.action]}",
        text=method.doc or f"The method `{method.name}` of {exposure.node.model.label}.",
        parameters=tuple(taken),
        conditions=(*(() if is_get else ("Idempotency-Key",)), *(("If-Match",) if on_record else ())),
        headers=("ETag",) if on_record and not is_get else (),
        body=None if is_get else _body(api, method),
        result={"description": "What the method returns, as plain JSON; records as ids."},
    )


def _records(api: Described, endpoint: Endpoint, exposure: Exposure) -> list[Json]:
    """Return the parameter that names the records that the method is called on."""
    if endpoint.action is CALL_ON_RECORD:
        return [parameters.parameter("id", "path", api.id(exposure), "The record.", required=True)]
    if endpoint.action is CALL_ON_RECORDS:
        most = api.document.max_bulk
        ids = parameters.listed("ids", api.id(exposure), "The records.", maxItems=most)
        return [{**ids, "required": True}]
    return []


def _by_query(api: Described, parameter: Parameter) -> Json:
    schema: Schema = {"type": "string"}
    more: Json = {"required": True} if parameter.required else {}
    text = "JSON; what is none is taken as text." if not isinstance(parameter.default, str) else "Text."
    model = api.document.argument_models.get(parameter.name)
    if model is not None:
        schema, text = {**schema, "x-model": model}, f"An id of {model}, or a list of ids as JSON."
    return parameters.parameter(parameter.name, "query", schema, text, **more)


def _body(api: Described, method: MethodInfo) -> Json:
    required = [each for each in method.parameters if each.required]
    forms = []
    if all(each.keyword for each in required):
        forms.append(_by_name(api, method))
    if all(each.positional for each in required):
        forms.append(_by_position(api, method))
    example: Any = examples.arguments(api.definition, method)
    content: Json = {"schema": {"anyOf": forms} if len(forms) > 1 else forms[0], "example": example}
    return {"required": bool(required), "content": {"application/json": content}}


def _by_name(api: Described, method: MethodInfo) -> Schema:
    properties = {each.name: _argument(api, each) for each in method.parameters if each.keyword}
    needed = [each.name for each in method.parameters if each.required]
    schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": method.more_keywords,
        **({"required": needed} if needed else {}),
    }
    return api.components.add(class_name(api.name, "arguments"), schema)


def _by_position(api: Described, method: MethodInfo) -> Schema:
    positional = [each for each in method.parameters if each.positional]
    items = [_argument(api, each) for each in positional]
    return {
        "type": "array",
        "description": "Arguments by position.",
        **({"prefixItems": items} if items else {}),
        "items": {},
        **({} if method.more_positional else {"maxItems": len(items)}),
        "minItems": sum(each.required for each in positional),
    }


def _argument(api: Described, parameter: Parameter) -> Schema:
    model = api.document.argument_models.get(parameter.name)
    default: Schema = {} if parameter.default is None else {"default": parameter.default}
    if model is None:
        return default
    record_id = plain_id(api.definition, model)
    one = {**record_id, "type": [record_id["type"], "null"]}
    return {"oneOf": [one, {"type": "array", "items": record_id}], **default}
