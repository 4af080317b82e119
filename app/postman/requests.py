"""The model that requests are about, and where the requests of each action are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.definitions.definition import Definition, Exposure
from app.openapi import examples
from app.operations.actions import CREATE, Aspect
from app.operations.endpoints import Endpoint
from app.postman.scripts import answer_test

Items = list[dict[str, Any]]
#: Odoo's id of the records that values and arguments name: what is run has to find them.
FIRST_RECORD = 1


class Tried:
    """One model of an API as a collection tries it: its endpoints, and the records that they are tried with."""

    def __init__(self, definition: Definition, served: list[Endpoint], known_id: Any) -> None:
        """``known_id`` is the public id of a record, None where there is none yet."""
        self.definition = definition
        creating = [endpoint for endpoint in served if endpoint.action is CREATE and endpoint.exposure]
        self.creates = bool(creating)
        #: True if it also creates several at once.
        self.creates_many = any("bulk_create" in each.exposure.switches for each in creating if each.exposure)
        self._served = served
        model = served[0].exposure.name if served[0].exposure else ""
        #: A collection variable of its own for each model, so that folders don't get in each other's way.
        self.one = f"id_{definition.id}_{model.replace('.', '_')}" if model else ""
        #: Where there is no record yet to try with, an example that is not found will do.
        self._missing = known_id is None
        self._known_id = examples.record_id(definition, model) if self._missing and model else known_id

    def items(self) -> Items:
        """Return the requests, in an order that can be run."""
        found = []
        for endpoint in self._served:
            path = endpoint.path_with(f"{{{{{self.one}}}}}")
            found += requests[endpoint.action](self, endpoint, path)
        return found

    def test(self) -> dict[str, Any]:
        """Return the test of a call on records."""
        statuses = self.on_record(200)
        return answer_test(statuses, keys='["result"]' if statuses == [200] else '["result", "error"]')

    def on_record(self, *statuses: int) -> list[int]:
        """Return the statuses that a call on one record may have."""
        return [*statuses, 404] if self._missing and not self.creates else list(statuses)

    def body(self, endpoint: Endpoint, *, creating: bool = False) -> dict[str, Any]:
        """Return values to write."""
        exposure: Exposure | None = endpoint.exposure
        if not exposure:
            return {}
        return examples.values(self.definition, exposure, creating=creating, record=FIRST_RECORD)

    def several(self) -> list[str]:
        """Return the records of a bulk call: those that were created for it, or the one that is known."""
        if self.creates_many:
            return [f"{{{{{self.one}_a}}}}", f"{{{{{self.one}_b}}}}"]
        return [f"{{{{{self.one}}}}}"]

    def remember(self, expression: str) -> str:
        """Return the line of a script that keeps a record's id for the requests that follow."""
        return f'const found = {expression};\nif (found) {{ pm.collectionVariables.set("{self.one}", found); }}'

    def ids(self) -> dict[str, Any]:
        """Return the variable that holds a record's id before anything was created or found."""
        return {self.one: self._known_id} if self.one else {}


#: The requests of each action: ``@requests(SEARCH)``, called with the endpoint and its path in the collection. They are
#: run in the order of their registration: what is created is read, changed, deleted.
requests: Aspect[Callable[[Tried, Endpoint, str], Items]] = Aspect("requests")
