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
    served = [action for action in actions.ACTIONS if action.kind == definition.document.type]
    return [
        endpoint
        for base, exposure in _bases(definition)
        for action in served
        if _is_on(definition, action) and not (action.changes_records and exposure and exposure.read_only)
        for endpoint in _at(definition, action, base, exposure)
    ]


def _bases(definition: Definition) -> list[tuple[str, Exposure | None]]:
    """Return the path that the endpoints of each model are below: of one model, or of none, it is the API's route."""
    document = definition.document
    models = [entry.model for entry in document.models]
    if len(models) > 1:
        return [(f"{document.route}/{model}", definition.exposures.get(model)) for model in models]
    return [(document.route, definition.exposures.get(models[0]) if models else None)]


def _is_on(definition: Definition, action: Action) -> bool:
    document = definition.document
    if action.bulk and not document.bulk:
        return False
    return action.kind != "rest" or action.scope is None or getattr(document.endpoints, action.scope.value)


def _at(definition: Definition, action: Action, base: str, exposure: Exposure | None) -> list[Endpoint]:
    methods = definition.document.http_methods if action.method is None else [action.method]
    return [Endpoint(definition, action, method, base + action.suffix, exposure) for method in methods]
