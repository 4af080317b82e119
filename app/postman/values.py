"""Values to write: those of the examples, and others at each run where no two records may have the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.definitions.definition import Definition, Exposure
from app.openapi import examples
from odoo_bridge.types import FieldInfo, MethodInfo, Parameter

#: Postman's own variables: another value each time that they stand somewhere.
_UNIQUE, _CHARACTER = "{{$guid}}", "{{$randomAlphaNumeric}}"
#: Characters of a unique text that a field has room for.
_LENGTH = 12
#: Values of arguments, by their annotations.
_ARGUMENTS = {"int": 1, "float": 1.5, "bool": True, "list": [], "dict": {}}


def needed_models(definition: Definition) -> set[str]:
    """Return the models of which a new record of an exposed one has to name a record, and those of arguments."""
    needed = {model for exposure in definition.exposures.values() for _, model in required(exposure)}
    return needed | set(definition.document.argument_models.values())


def required(exposure: Exposure) -> Iterator[tuple[FieldInfo, str]]:
    """Return the fields that a new record has to name a record in, each with the model of that."""
    for name, info in exposure.node.fields.items():
        model = info.relation or (info.selection[0][0] if info.type == "reference" and info.selection else "")
        if name in exposure.writable_fields and info.must_be_given and model:
            yield info, model


def variable(definition: Definition, model: str) -> str:
    """Return the variable that holds the id of a record to refer to."""
    return f"ref_{definition.id}_{model.replace('.', '_')}"


def values(definition: Definition, exposure: Exposure, unique: frozenset[str], *, creating: bool) -> dict[str, Any]:
    """Return a body for ``exposure``; ids of other records stand in variables."""
    found = examples.values(definition, exposure, creating=creating)
    body = {name: _varied(exposure.node.fields[name], value, unique) for name, value in found.items()}
    references = {info.name: _reference(definition, info, model) for info, model in required(exposure)}
    return {name: value for name, value in body.items() if creating or name not in references} | (
        references if creating else {}
    )


def _reference(definition: Definition, info: FieldInfo, model: str) -> Any:
    public_id = f"{{{{{variable(definition, model)}}}}}"
    if info.to_many:
        return [public_id]
    return f"{model},{public_id}" if info.type == "reference" else public_id


def _varied(info: FieldInfo, value: Any, unique: frozenset[str]) -> Any:
    """Return a text that is another one each time, where that matters or is of no matter to people."""
    if info.type != "char" or not isinstance(value, str) or not (info.name in unique or info.name == "name"):
        return value
    if info.size:
        return _CHARACTER * min(info.size, _LENGTH)
    return value.replace("@", f"-{_UNIQUE}@") if "@" in value else f"{value} {_UNIQUE}"


def arguments(definition: Definition, method: MethodInfo) -> dict[str, Any]:
    """Return keyword arguments of a method: those that it needs; ids stand in variables."""
    given = examples.arguments(definition, method)
    by_name = {parameter.name: parameter for parameter in method.parameters}
    return {name: _argument(definition, by_name[name], value) for name, value in given.items()}


def _argument(definition: Definition, parameter: Parameter, value: Any) -> Any:
    model = definition.document.argument_models.get(parameter.name)
    if model is not None:
        public_id = f"{{{{{variable(definition, model)}}}}}"
        return [public_id] if isinstance(value, list) else public_id
    return _ARGUMENTS.get(parameter.annotation, value) if parameter.default is None else value
