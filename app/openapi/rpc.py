"""The operations of an API of type rpc: contract section 3."""

from __future__ import annotations

from typing import Any, cast

from app.definitions.definition import Definition, Endpoint, Exposure
from app.openapi import examples, parts
from app.openapi.parts import Json
from app.openapi.schemas import Components, Schema, id_of
from odoo_bridge.methods import MethodInfo, Parameter

_TARGETS = {"rpc.call_model": "", "rpc.call_record": " on a record", "rpc.call_many": " on several records"}


class RpcOperations:
    """Describes the endpoints of one API: summary, parameters, body and result."""

    def __init__(self, definition: Definition, components: Components) -> None:
        self._definition = definition
        self._components = components

    def operation(self, endpoint: Endpoint) -> Json:
        """Return what is special about an endpoint."""
        # The compiler gives an API without problems both.
        method, exposure = cast(MethodInfo, self._definition.method), cast(Exposure, endpoint.exposure)
        record_id = id_of(self._definition, self._components, exposure.name)
        company = id_of(self._definition, self._components, "res.company")
        parameters = []
        if endpoint.view == "rpc.call_record":
            parameters.append(parts.parameter("id", "path", record_id, "The record.", required=True))
        elif endpoint.view == "rpc.call_many":
            most = self._definition.document.max_bulk
            ids = parts.listed("ids", record_id, "The records.", maxItems=most, uniqueItems=True)
            parameters.append({**ids, "required": True})
        described: Json = {
            "summary": f"Call {method.name}{_TARGETS[endpoint.view]}",
            "description": method.doc,
            "result": {"description": "What the method returns, as plain JSON; records as ids."},
        }
        if endpoint.method == "GET":
            parameters += [self._by_query(each, method) for each in method.parameters if each.keyword]
        else:
            parameters += parts.parameters("Idempotency-Key")
            described["body"] = self._body(method)
        described["parameters"] = [
            *parameters,
            *parts.parameters("Accept-Language", "X-Timezone"),
            parts.parameter("X-Company-Id", "header", company, "The company to work in, one of the user's."),
        ]
        return described

    def _by_query(self, parameter: Parameter, method: MethodInfo) -> Json:
        schema: Schema = {"type": "string"}
        if parameter.name in self._definition.document.argument_models:
            schema = self._argument(parameter)
        more: Json = {"required": True} if parameter.required else {}
        text = "JSON; what is none is taken as text." if not isinstance(parameter.default, str) else "Text."
        return parts.parameter(parameter.name, "query", schema, text, **more)

    def _body(self, method: MethodInfo) -> Json:
        named = {each.name: self._argument(each) for each in method.parameters if each.keyword}
        needed = [each.name for each in method.parameters if each.required]
        keywords: Schema = {"type": "object", "title": "keyword arguments", "properties": named}
        keywords["additionalProperties"] = method.more_keywords
        by_position = [each for each in method.parameters if each.positional]
        positional: Schema = {"type": "array", "title": "positional arguments"}
        if by_position:
            positional["prefixItems"] = [self._argument(each) for each in by_position]
        if not method.more_positional:
            positional["maxItems"] = len(by_position)
        positional["minItems"] = sum(each.required for each in by_position)
        forms = []
        if all(each.keyword for each in method.parameters if each.required):
            forms.append({**keywords, **({"required": needed} if needed else {})})
        if all(each.positional for each in method.parameters if each.required):
            forms.append(positional)
        example: Any = examples.arguments(self._definition, method)
        content: Json = {"schema": {"oneOf": forms}, "example": example}
        return {"required": bool(needed), "content": {"application/json": content}}

    def _argument(self, parameter: Parameter) -> Schema:
        model = self._definition.document.argument_models.get(parameter.name)
        default: Schema = {} if parameter.default is None else {"default": parameter.default}
        if model is None:
            return default
        record_id = id_of(self._definition, self._components, model)
        return {"anyOf": [record_id, {"type": "array", "items": record_id}, {"type": "null"}], **default}
