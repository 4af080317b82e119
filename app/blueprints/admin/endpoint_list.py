"""Endpoints of an API, model by model, also those that are switched off, and what switches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.definitions.definition import Definition, Exposure
from app.definitions.document import BULK, SWITCHES, ApiDocument, EndpointSwitches
from app.operations.actions import ACTIONS, Action
from app.operations.endpoints import Endpoint, endpoints

_ALL_ON = EndpointSwitches.model_validate(dict.fromkeys(SWITCHES, True))
#: The method that pages name, by those that do the same at the same path.
_NAMED = {method: action.method for action in ACTIONS for method in action.also}


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch of an API, or of a model: ``on`` is where it stands, ``served`` whether anything comes of that.

    ``exceptions`` are the models that differ from the API, or None for a model's own switch; ``differs`` says that
    this model is one of them.
    """

    name: str
    on: bool
    served: bool
    differs: bool = False
    exceptions: tuple[str, ...] = ()

    @property
    def needs(self) -> str | None:
        """The operation that has to be on first, and is not; None where there is none."""
        return self.name.removeprefix(BULK) if self.on and not self.served else None


@dataclass(frozen=True, slots=True)
class Served:
    """One form of an operation: its endpoints as (method, path), and its switch, where there is one.

    ``shared`` are those that another form has too, where their calls are counted.
    """

    name: str
    endpoints: tuple[tuple[str, str], ...]
    switch: Switch | None
    shared: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """All that an API serves of one model; ``model`` is "" where it has none."""

    model: str
    label: str
    operations: tuple[Served, ...]


def everything_of(definition: Definition) -> list[Endpoint]:
    """Return the endpoints that an API has when nothing is switched off."""
    document = definition.document
    models = [entry.model_copy(update={"endpoints": {}}) for entry in document.models]
    return endpoints(replace(definition, document=document.model_copy(update={"endpoints": _ALL_ON, "models": models})))


def as_named(endpoint: str) -> str:
    """Return an endpoint of the log, method and path, as pages name it: a QUERY is a search like the GET."""
    method, _, path = endpoint.partition(" ")
    return f"{_NAMED.get(method, method)} {path}"


def models_of(definition: Definition) -> list[ServedModel]:
    """Return the forms of all operations of an API, in the order of their switches, for each of its models."""
    found: dict[str, list[Endpoint]] = {}
    for endpoint in everything_of(definition):
        found.setdefault(endpoint.model, []).append(endpoint)
    return [
        ServedModel(model, _label(served[0].exposure), tuple(_operations(definition.document, model, served)))
        for model, served in found.items()
    ]


def switches_of(document: ApiDocument) -> list[Switch]:
    """Return the switches of an API itself, each with the models that differ from it."""
    switches, served = document.endpoints.model_dump(), document.switched_on()
    return [
        Switch(
            name,
            switches[name],
            name in served,
            exceptions=tuple(
                entry.model for entry in document.models if entry.endpoints.get(name, switches[name]) != switches[name]
            ),
        )
        for name in SWITCHES
        if document.bulk or not name.startswith(BULK)
    ]


def switched(document: Mapping[str, Any], model: str, name: str, on: bool) -> dict[str, Any]:
    """Return the keys of a stored document with one switch turned, of an API or of one of its models.

    An API's only model has no switches of its own then. Raises LookupError for a switch or model that is not there.
    """
    if name not in SWITCHES or (model and model not in [entry["model"] for entry in document["models"]]):
        raise LookupError(name)
    switches = EndpointSwitches.model_validate(document["endpoints"]).model_dump()
    of_all = len(document["models"]) < 2 or not model
    if of_all:
        switches[name] = on
    own = {} if of_all or switches[name] == on else {name: on}
    models = [
        {**entry, "endpoints": {key: value for key, value in entry.get("endpoints", {}).items() if key != name} | own}
        if entry["model"] == model or len(document["models"]) < 2
        else entry
        for entry in document["models"]
    ]
    return {"endpoints": switches, "models": models}


def operation_of(action: Action) -> str:
    """Return the panel's name of an action: that of its switch, where it has one."""
    return action.switches[0] if action.switches else action.scope.value if action.scope else "login"


def is_off(endpoint: Endpoint) -> bool:
    """True if an endpoint is switched off."""
    return bool(endpoint.exposure and not endpoint.exposure.switches.issuperset(endpoint.action.needed_switches))


def _label(exposure: Exposure | None) -> str:
    return exposure.node.model.label if exposure else ""


def _operations(document: ApiDocument, model: str, served: list[Endpoint]) -> list[Served]:
    forms: dict[str, list[Endpoint]] = {}
    for endpoint in served:
        names = endpoint.action.switches or (operation_of(endpoint.action),)
        for name in names if document.bulk else names[:1]:
            forms.setdefault(name, []).append(endpoint)
    order = [*(name for name in SWITCHES if name in forms), *forms]
    return [
        Served(
            name,
            tuple((endpoint.method, endpoint.shown_path) for endpoint in forms[name]),
            _switch(document, model, name),
            frozenset((each.method, each.shown_path) for each in forms[name] if operation_of(each.action) != name),
        )
        for name in dict.fromkeys(order)
    ]


def _switch(document: ApiDocument, model: str, name: str) -> Switch | None:
    if name not in SWITCHES:
        return None
    of_all = getattr(document.endpoints, name)
    entry = next((entry for entry in document.models if entry.model == model), None)
    on = entry.endpoints.get(name, of_all) if entry else of_all
    return Switch(name, on, name in document.switched_on(entry), differs=on != of_all)
