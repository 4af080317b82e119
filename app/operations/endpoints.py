"""The endpoints of a definition: a method and a path for each action that it has switched on."""

from __future__ import annotations

from dataclasses import dataclass

from app.definitions.definition import Definition, Exposure
from app.operations import actions
from app.operations.actions import Action


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path of an API; ``exposure`` is None where the API exposes no model, or Odoo no longer has it."""

    definition: Definition
    action: Action
    method: str
    path: str
    exposure: Exposure | None = None

    @property
    def shown_path(self) -> str:
        """The path as it is written for people: with ``{id}`` where the id of a record stands."""
        return self.path_with("{id}")

    def path_with(self, public_id: str) -> str:
        """Return the path with a record's id, or with what stands for one."""
        return self.path.replace(actions.PUBLIC_ID, public_id)


def endpoints(definition: Definition) -> list[Endpoint]:
    """Return every endpoint that a published API serves; what is switched off is not among them."""
    document = definition.document
    served = [action for action in actions.ACTIONS if action.kind == document.type and _is_on(definition, action)]
    if not document.models:
        return [endpoint for action in served for endpoint in _at(definition, action, document.route, None)]
    several = len(document.models) > 1
    found = []
    for entry in document.models:
        base = f"{document.route}/{entry.model}" if several else document.route
        exposure = definition.exposures.get(entry.model)
        for action in served:
            if not (exposure and exposure.read_only and action.kind == "rest" and _changes_records(action)):
                found += _at(definition, action, base, exposure)
    return found


def _is_on(definition: Definition, action: Action) -> bool:
    document = definition.document
    if action.bulk and not document.bulk:
        return False
    return action.kind != "rest" or action.scope is None or getattr(document.endpoints, action.scope.value)


def _changes_records(action: Action) -> bool:
    return action.scope is not None and action.scope.changes_records


def _at(definition: Definition, action: Action, base: str, exposure: Exposure | None) -> list[Endpoint]:
    methods = definition.document.http_methods if action.method is None else [action.method]
    return [Endpoint(definition, action, method, base + action.suffix, exposure) for method in methods]
