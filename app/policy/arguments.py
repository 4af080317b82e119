"""Arguments of a method, bound to its signature before it is called; ids among them decoded."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from app.definitions.ids import Ids, InvalidId, holds_reference
from app.errors import BadRequest
from app.json import MAX_DEPTH, is_too_deep, unfit
from app.policy.suggestions import unknown
from odoo_bridge.types import MethodInfo

#: Names for ``*args`` and ``**kwargs`` in a signature; no argument of a method is called so.
_MORE, _OTHERS = "_more_arguments_", "_other_arguments_"


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of a method call. ``references`` maps (model, id) to the name of the argument that holds the id."""

    positional: tuple[Any, ...]
    keywords: dict[str, Any]
    references: dict[tuple[str, int], str] = field(default_factory=dict)


def of_body(body: Any, method: MethodInfo, models: Mapping[str, str], ids: Ids) -> Arguments:
    """Return the arguments of a body: an object holds keyword arguments, an array positional ones.

    ``models`` says which arguments are ids, and of which model. Raises BadRequest that names the argument.
    """
    if isinstance(body, dict):
        return _bound((), body, method, models, ids)
    if isinstance(body, list):
        return _bound(body, {}, method, models, ids)
    raise BadRequest(
        "The body must be an object of keyword arguments, or an array of positional ones.",
        name="invalid_body",
        data={"parameter": "body"},
    )


def of_query(parameters: Mapping[str, Any], method: MethodInfo, models: Mapping[str, str], ids: Ids) -> Arguments:
    """Return the arguments of a query string, whose texts are read as JSON unless the method expects a text."""
    texts = {parameter.name for parameter in method.parameters if isinstance(parameter.default, str)}
    keywords = {
        name: value if name in texts or name in models or not isinstance(value, str) else _read(value, name)
        for name, value in parameters.items()
    }
    return _bound((), keywords, method, models, ids)


def _read(text: str, name: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    if is_too_deep(value):
        raise _error(f"{name}: the JSON is nested more than {MAX_DEPTH} levels deep.", name)
    return value


def _bound(
    positional: Sequence[Any], keywords: Mapping[str, Any], method: MethodInfo, models: Mapping[str, str], ids: Ids
) -> Arguments:
    if not (positional or keywords or any(parameter.required for parameter in method.parameters)):
        return Arguments((), {})
    named = {parameter.name for parameter in method.parameters}
    for reserved in ("self", "context"):  # the records, and what no call may set
        if reserved in keywords and reserved not in named:
            raise _error(f"{method.name}: {reserved!r} can't be given.", reserved)
    try:
        bound = _signature(method).bind(*positional, **keywords)
    except TypeError as error:
        raise _unbound(method, len(positional), keywords, str(error)) from None
    for name, value in bound.arguments.items():
        if found := unfit(value):
            raise _error(f"{name} holds {found}.", name)
    references: dict[tuple[str, int], str] = {}
    for name, model in models.items():
        for holder in (bound.arguments, bound.arguments.get(_OTHERS, {})):
            if name in holder:
                holder[name] = _decoded(holder[name], name, model, ids, references)
    for name, value in bound.arguments.items():
        if holds_reference(value):
            raise _error(f"{name}: no ids stand here, so no step of a batch can be named.", name)
    return Arguments(bound.args, bound.kwargs, references)


def _unbound(method: MethodInfo, positional: int, keywords: Mapping[str, Any], error: str) -> BadRequest:
    """Return the error for arguments that don't fit: it names an unknown one, or one that is missing."""
    known = [parameter.name for parameter in method.parameters if parameter.keyword]
    others = sorted(set(keywords).difference(known)) if not method.more_keywords else []
    if others:
        message = f"{method.name}: there is no argument {others[0][:80]!r}."
        place = {"parameter": others[0], "argument": others[0][:200]}
        return unknown(message, others[0], known, name="invalid_arguments", **place)
    given = {parameter.name for parameter in [each for each in method.parameters if each.positional][:positional]}
    for parameter in method.parameters:
        if parameter.required and parameter.name not in keywords and parameter.name not in given:
            return _error(f"{method.name}: {error}.", parameter.name)
    return BadRequest(f"{method.name}: {error}.", name="invalid_arguments", data={"parameter": "body"})


@lru_cache(maxsize=1024)
def _signature(method: MethodInfo) -> inspect.Signature:
    parameter = inspect.Parameter
    kinds = {
        (True, True): parameter.POSITIONAL_OR_KEYWORD,
        (True, False): parameter.POSITIONAL_ONLY,
        (False, True): parameter.KEYWORD_ONLY,
    }
    parameters = [
        parameter(
            known.name,
            kinds[known.positional, known.keyword],
            default=parameter.empty if known.required else None,
        )
        for known in method.parameters
    ]
    if method.more_positional:
        parameters.append(parameter(_MORE, parameter.VAR_POSITIONAL))
    if method.more_keywords:
        parameters.append(parameter(_OTHERS, parameter.VAR_KEYWORD))
    return inspect.Signature(sorted(parameters, key=lambda each: each.kind))


def _decoded(value: Any, name: str, model: str, ids: Ids, references: dict[tuple[str, int], str]) -> Any:
    """Return an id, or a list of ids, as Odoo has them; null stays null."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_decoded(item, name, model, ids, references) for item in value]
    try:
        record_id = ids.of(model).decode(value)
    except InvalidId:
        raise _error(f"{name}: an id of {model} is expected.", name) from None
    references[model, record_id] = name
    return record_id


def _error(message: str, argument: str) -> BadRequest:
    return BadRequest(message, name="invalid_arguments", data={"parameter": argument[:200], "argument": argument[:200]})
