"""Endpoints of an API, operation by operation, also those that are switched off."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.definitions.definition import Definition
from app.definitions.document import EndpointSwitches
from app.operations.actions import Action
from app.operations.endpoints import Endpoint, endpoints


@dataclass(frozen=True, slots=True)
class Served:
    """One operation: its endpoints as (method, path), and its switch; None where there is none to switch."""

    name: str
    endpoints: tuple[tuple[str, str], ...]
    on: bool | None


def everything_of(definition: Definition) -> list[Endpoint]:
    """Return the endpoints that an API has when nothing is switched off."""
    everything = definition.document.model_copy(update={"endpoints": EndpointSwitches()})
    return endpoints(replace(definition, document=everything))


def operations_of(definition: Definition) -> list[Served]:
    """Return the operations of an API, in the order of their switches."""
    found: dict[str, list[tuple[str, str]]] = {}
    for endpoint in everything_of(definition):
        found.setdefault(operation_of(endpoint.action), []).append((endpoint.method, endpoint.shown_path))
    switches = definition.document.endpoints
    order = [*(name for name in EndpointSwitches.model_fields if name in found), *found]
    return [Served(name, tuple(found[name]), getattr(switches, name, None)) for name in dict.fromkeys(order)]


def operation_of(action: Action) -> str:
    """Return the panel's name of an action: that of its switch, where it has one."""
    return action.scope.value if action.scope else "login"


def switch_of(definition: Definition, action: Action) -> bool | None:
    """Return the switch of an action, on or off; None where there is nothing to switch."""
    switch: bool | None = getattr(definition.document.endpoints, operation_of(action), None)
    return switch
