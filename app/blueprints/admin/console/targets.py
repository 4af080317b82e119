"""Targets of the console: every endpoint that an API has, also those that nobody reaches at the moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.blueprints.admin.editor import ApiRow
from app.blueprints.admin.endpoint_list import everything_of, is_off, operation_of
from app.definitions.definition import Definition
from app.operations.actions import LOG_IN
from app.operations.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint of an API as it is stored."""

    row: ApiRow
    definition: Definition
    endpoint: Endpoint

    @property
    def key(self) -> str:
        """Key of the endpoint in an address: the API's id, method and path."""
        return target_key(self.definition.id, self.endpoint.method, self.path)

    @property
    def path(self) -> str:
        """The path, with ``{id}`` where the id of a record stands."""
        return self.endpoint.shown_path

    @property
    def operation(self) -> str:
        """The panel's name for it."""
        return operation_of(self.endpoint.action).replace("_", " ")

    @property
    def off(self) -> bool:
        """True if the operation is switched off."""
        return is_off(self.endpoint)

    @property
    def is_draft(self) -> bool:
        """True if the API is not published: then it is tried as a test, by the administrator alone."""
        return not self.definition.document.published

    @property
    def counts(self) -> bool:
        """True if log and statistics hold the calls of its API."""
        return self.definition.document.statistics and not self.is_draft

    @property
    def logs_in(self) -> bool:
        """True if the endpoint opens a session, which no transaction takes back."""
        return self.endpoint.action is LOG_IN


def target_key(api_id: int, method: str, path: str) -> str:
    """Return an endpoint's name in addresses."""
    return f"{api_id} {method} {path}"


def targets_of(row: ApiRow) -> list[Target]:
    """Return the endpoints of an API; none of one that no longer fits Odoo, which nobody can describe."""
    definition = row.definition
    if definition is None or definition.problems:
        return []
    return [Target(row, definition, endpoint) for endpoint in everything_of(definition)]


def find(rows: Iterable[ApiRow], key: str) -> Target | None:
    """Return the endpoint that an address names; by the id of an API alone, its first one."""
    for row in rows:
        if key.split(" ", maxsplit=1)[0] == str(row.stored.id):
            targets = targets_of(row)
            if " " not in key:
                return targets[0] if targets else None
            return next((target for target in targets if target.key == key), None)
    return None
