"""The endpoints of a definition: a method and a path for each action that it has switched on."""

from __future__ import annotations

from dataclasses import dataclass

from app.definitions.definition import Definition, Exposure
from app.operations import actions
from app.operations.actions import Action


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path of an API, of one of its models.

    ``model`` is "" where the API has none; ``exposure`` is None there, and where Odoo no longer has the model. ``key``
    is the key that names the record, where it has no id in the path.
    """

    definition: Definition
    action: Action
    method: str
    path: str
    exposure: Exposure | None = None
    model: str = ""
    key: str = ""

    @property
    def is_alternative(self) -> bool:
        """True if the same is served by a method that documents and clients know better."""
        return self.method in self.action.also

    @property
    def shown_path(self) -> str:
        """The path as it is written for people: with ``{id}`` or ``{value}`` where what names a record stands."""
        return self.path_with("{id}", "{value}")

    @property
    def base(self) -> str:
        """The path of the model, which all of its endpoints begin with."""
        return self.path.removesuffix(self.action.suffix.replace(actions.KEY, self.key))

    def path_with(self, public_id: str, value: str = "") -> str:
        """Return the path with a record's id, or the value of its key, or with what stands for them."""
        return self.path.replace(actions.PUBLIC_ID, public_id).replace(actions.VALUE, value)


@dataclass(frozen=True, slots=True)
class _Base:
    """Common ground of the endpoints of one model, or of none: the path that they are below, and its switches."""

    path: str
    model: str
    exposure: Exposure | None
    switches: frozenset[str]
    keys: tuple[str, ...] = ()


def endpoints(definition: Definition) -> list[Endpoint]:
    """Return the endpoints that people and programs are told of; what is switched off is not among them."""
    return [endpoint for endpoint in all_endpoints(definition) if not endpoint.is_alternative]


def all_endpoints(definition: Definition) -> list[Endpoint]:
    """Return every endpoint that a published API serves, also by alternative methods."""
    served = [action for action in actions.ACTIONS if action.kind == definition.document.type]
    return [
        endpoint
        for base in _bases(definition)
        for action in served
        if _is_on(definition, action, base)
        for endpoint in _at(definition, action, base)
    ]


def _bases(definition: Definition) -> list[_Base]:
    """Return the base of each model: of one, or of none, it is the API's route."""
    document = definition.document
    if not document.models:
        return [_Base(document.route, "", None, frozenset())]
    several = len(document.models) > 1
    return [
        _Base(
            f"{document.route}/{entry.model}" if several else document.route,
            entry.model,
            definition.exposures.get(entry.model),
            document.switched_on(entry),
            tuple(entry.upsert_keys),
        )
        for entry in document.models
    ]


def _is_on(definition: Definition, action: Action, base: _Base) -> bool:
    if action.changes_records and base.exposure and base.exposure.read_only:
        return False
    if not action.switches:
        return definition.document.bulk or not action.bulk
    return base.switches.issuperset(action.needed_switches)


def _at(definition: Definition, action: Action, base: _Base) -> list[Endpoint]:
    methods = definition.document.http_methods if action.method is None else [action.method, *action.also]
    path = base.path + action.suffix
    return [
        Endpoint(definition, action, method, path.replace(actions.KEY, key), base.exposure, base.model, key)
        for key in (base.keys if action.by_key else ("",))
        for method in methods
    ]
