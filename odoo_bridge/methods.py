"""Methods of models, called as Odoo lets them be called from outside (odoo/service/model.py)."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

from odoo.exceptions import AccessError
from odoo.models import BaseModel
from odoo.service.model import get_public_method

from . import argument_use
from .errors import InvalidValue
from .transaction import Environment
from .types import MethodInfo, MethodSummary, Parameter, Records

#: Deepest nesting of a result, and most items that a generator may give.
MAX_DEPTH = 50
MAX_ITEMS = 100_000
#: Types of most values: what is plain already is asked nothing else.
_AS_THEY_ARE = frozenset({type(None), bool, int, float, str, datetime, date, time, bytes})


def listing(env: Environment, model: str) -> list[MethodSummary]:
    """Return the methods that Odoo lets one call from outside.

    Those that the model's own addons define come first, then those of mixins, and last those that every model has.
    """
    if model not in env.registry:
        return []
    records = env[model]
    mixins = _mixins(env, type(records))
    found = []
    for name in dir(type(records)):
        if name.startswith("_") or not inspect.isfunction(getattr(type(records), name, None)):
            continue
        try:
            method = get_public_method(records, name)
        except (AccessError, AttributeError):
            continue
        group = 2 if hasattr(BaseModel, name) else 1 if any(hasattr(mixin, name) for mixin in mixins) else 0
        doc = (inspect.getdoc(method) or "").strip().split("\n")[0]
        found.append((group, MethodSummary(name, _signature(method), doc)))
    return [method for _, method in sorted(found, key=lambda pair: pair[0])]


def _signature(method: Any) -> str:
    """Return the parameters as the source writes them, without types and the records that the method is called on."""
    parameters = itertools.islice(inspect.signature(method).parameters.values(), 1, None)
    return ", ".join(str(parameter.replace(annotation=parameter.empty)) for parameter in parameters)


def describe(env: Environment, model: str, name: str) -> MethodInfo | None:
    """Describe a method's parameters; None for one that is not there, or that Odoo lets nobody call from outside."""
    try:
        method = get_public_method(env[model], name)
    except (AccessError, AttributeError):
        return None
    found = []
    rest = []
    kind = type(env[model])
    for parameter in itertools.islice(inspect.signature(method).parameters.values(), 1, None):
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            rest.append((str(parameter).partition(":")[0], argument_use.rest_handed_on(kind, name, parameter.name)))
        else:
            found.append(_parameter(parameter, argument_use.handed_on(kind, name, parameter.name)))
    return MethodInfo(
        model=model,
        name=name,
        doc=inspect.getdoc(method) or "",
        parameters=tuple(found),
        more_keywords=any(each.startswith("**") for each, _ in rest),
        more_positional=any(not each.startswith("**") for each, _ in rest),
        on_model=bool(getattr(method, "_api_model", False)),
        generic=_is_generic(env, kind, name),
        rest=tuple(rest),
    )


def _parameter(parameter: inspect.Parameter, handed_to: str | None) -> Parameter:
    required = parameter.default is parameter.empty
    annotation = "" if parameter.annotation is parameter.empty else inspect.formatannotation(parameter.annotation)
    return Parameter(
        name=parameter.name,
        required=required,
        default=None if required else _plain_default(parameter.default),
        keyword=parameter.kind is not parameter.POSITIONAL_ONLY,
        positional=parameter.kind is not parameter.KEYWORD_ONLY,
        default_type="" if required or parameter.default is None else type(parameter.default).__name__,
        annotation=annotation.strip("'\""),
        handed_to=handed_to,
    )


def _is_generic(env: Environment, kind: type, name: str) -> bool:
    """True if a method is one of all models, or of a mixin that the model shares with others."""
    return hasattr(BaseModel, name) or any(hasattr(mixin, name) for mixin in _mixins(env, kind))


def _mixins(env: Environment, kind: type) -> list[type]:
    """Return the abstract models that a model takes methods from."""
    return [other for other in env.registry.values() if other._abstract and issubclass(kind, other)]


def call(
    env: Environment,
    method: MethodInfo,
    ids: Sequence[int],
    positional: Sequence[Any],
    keywords: Mapping[str, Any],
) -> Any:
    """Call a method on records that ``records.visible`` has found (none: on the model), and return plain data.

    Recordsets in the result become ``Records``; everything else what JSON knows, with dates as they are.
    """
    records = env[method.model].browse(ids)
    # Asked for again at each call: an addon may have made the method private since.
    function = get_public_method(records, method.name)
    try:
        return _plain(function(records, *positional, **keywords), 0)
    except ValueError as error:
        if len(ids) != 1 and str(error).startswith("Expected singleton"):  # ensure_one
            raise InvalidValue(
                "The method wants one record: call it with the record's id.", name="one_record"
            ) from error
        raise


def _plain_default(value: Any) -> Any:
    return value if isinstance(value, (str, bool, int, float)) else None


def _plain(value: Any, depth: int) -> Any:
    """Return plain data for a value of any type; raises ValueError for one without end."""
    if depth > MAX_DEPTH:
        raise ValueError("The method's result is nested without end.")
    if type(value) in _AS_THEY_ARE or isinstance(value, (bool, int, float, datetime, date, time, bytes)):
        return value
    if isinstance(value, str):
        return str(value)  # Markup and the like are text
    if isinstance(value, BaseModel):
        return Records(value._name, tuple(value.ids))
    if isinstance(value, Enum):
        return _plain(value.value, depth + 1)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Iterable):
        items = [_plain(item, depth + 1) for item in itertools.islice(value, MAX_ITEMS + 1)]
        if len(items) > MAX_ITEMS:
            raise ValueError("The method's result is a list without end.")
        return items
    return str(value)


def _key(key: Any) -> str:
    """Return a key as JSON has it: ``null``, ``true`` and numbers as text, a record as its id."""
    if type(key) is str:
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, BaseModel):
        return ",".join(map(str, key.ids))
    return str(key)
