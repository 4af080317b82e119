"""The model that requests are about, and where the requests of each action are registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.definitions.definition import Definition
from app.definitions.scopes import Scope
from app.openapi import examples
from app.operations.actions import CREATE, DELETE, UPSERT, Aspect
from app.operations.endpoints import Endpoint
from app.postman import values
from app.postman.known import Known
from app.postman.request import request
from app.postman.scripts import answer_test, forget, keep

Items = list[dict[str, Any]]

#: The right on the model that a scope's actions need in Odoo; a method's are its own matter.
_RIGHTS = {
    Scope.SEARCH: "read",
    Scope.READ: "read",
    Scope.CREATE: "create",
    Scope.UPDATE: "write",
    Scope.DELETE: "unlink",
}
#: A variable that holds an id.
_VARIABLE = re.compile(r"\{\{((?:id|new|ref)_\d+_\w+)\}\}")


class Tried:
    """One model of an API as a collection tries it: its endpoints, and the records that they are tried with.

    Calls that read take a record that was found, or that is known (``one``). Calls that change one take a record that
    the collection has created (``new``), so that no run touches others; in test mode, where nothing remains, ``one``.
    """

    def __init__(self, definition: Definition, served: list[Endpoint], known: Known) -> None:
        self.definition, self.known = definition, known
        self.exposure = served[0].exposure
        self.model = self.exposure.name if self.exposure else ""
        self.keeps_nothing = definition.document.keeps_nothing
        #: Why requests are left out, in sentences.
        self.left_out: list[str] = []
        key = f"{definition.id}_{self.model.replace('.', '_')}"
        self.one = f"id_{key}"
        self.new = self.one if self.keeps_nothing else f"new_{key}"
        self._served = served
        self._lenders: list[Tried] = []
        self._leave_out_refused()

    def endpoint(self, action: Any) -> Endpoint | None:
        """Return the endpoint that does this; None where none is tried."""
        return next((endpoint for endpoint in self._served if endpoint.action is action), None)

    @property
    def creates(self) -> bool:
        """True if a record is created that the requests that follow can have."""
        return self.endpoint(CREATE) is not None and not self.keeps_nothing

    @property
    def creates_many(self) -> bool:
        """True if several records can be created at once."""
        return (
            self.endpoint(CREATE) is not None and self.exposure is not None and "bulk_create" in self.exposure.switches
        )

    def borrow(self, others: Mapping[str, Tried]) -> None:
        """Find the models that create the records that a new one has to name; without them nothing is created."""
        missing = self._missing()
        self._lenders = [others[model] for model in missing if model in others and others[model].lends]
        if len(self._lenders) < len(missing) and (create := self.endpoint(CREATE)):
            self._served = [endpoint for endpoint in self._served if endpoint.action not in (create.action, UPSERT)]
            self.left_out.append(f"Create, as there is no record of {', '.join(sorted(missing))} to refer to.")

    @property
    def lends(self) -> bool:
        """True if a record can be created here for others to refer to."""
        return self.creates and not self._missing()

    def items(self, more: Items) -> Items:
        """Return the requests, and ``more`` behind them, in an order that can be run."""
        found: Items = [item for lender in self._lenders for item in lender._lent()]
        for endpoint in self._served:
            path = endpoint.path_with(f"{{{{{self.new if _changes(endpoint) else self.one}}}}}")
            found += requests[endpoint.action](self, endpoint, path)
        return found + more + [item for lender in self._lenders for item in lender._taken_back()]

    def request(
        self,
        name: str,
        endpoint: Endpoint,
        path: str,
        test: dict[str, Any],
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        **more: str,
    ) -> dict[str, Any]:
        """Return a request; the variables in it get their examples where no request before has set them."""
        used = dict.fromkeys(_VARIABLE.findall(f"{path} {query} {body}"))
        return request(
            name,
            endpoint.method,
            path,
            test,
            body=body,
            query=query,
            ids={variable: self._example(variable) for variable in used},
            description=self._description(endpoint),
            **more,
        )

    def test(self, *ids: str, then: str = "") -> dict[str, Any]:
        """Return the test of a call on the records in these variables."""
        return answer_test([200], refusable=self.keeps_nothing, unseen=ids, then=then)

    def body(self, *, creating: bool = False) -> dict[str, Any]:
        """Return values to write."""
        if self.exposure is None:
            return {}
        return values.values(self.definition, self.exposure, self.unique, creating=creating)

    @property
    def unique(self) -> frozenset[str]:
        """The fields that no two records have alike."""
        return self.known.unique.get(self.model, frozenset())

    @property
    def unwritable(self) -> list[str]:
        """The fields that a new record needs in Odoo, and that this API does not let be written."""
        if self.exposure is None:
            return []
        fields = self.exposure.node.model.fields.values()
        return [info.name for info in fields if info.must_be_given and info.name not in self.exposure.writable_fields]

    def several(self, *, changing: bool) -> list[str]:
        """Return the variables of the records of a bulk call: those that were created for it, or one."""
        if self.creates and self.creates_many:
            return [f"{self.new}_{letter}" for letter in "ab"[: self.definition.document.max_bulk]]
        return [self.new if changing else self.one]

    def created(self, variables: Mapping[str, str]) -> str:
        """Return the script that keeps what was created, by the expression of each variable.

        What the API's domain or a rule hides is not sure to be found again.
        """
        if self.keeps_nothing:
            return ""
        if self.exposure and self.exposure.domain:
            return "\n".join(f'pm.collectionVariables.set("{name}", {each}.id);' for name, each in variables.items())
        return "\n".join(
            f"if ({each}.visible !== false) {{\n{keep(name, f'{each}.id')}\n}}" for name, each in variables.items()
        )

    def _example(self, variable: str) -> Any:
        """Return the value of a variable that no request has set: the id of a record that is known, or of none."""
        if variable == self.one and self.model in self.known.ids:
            return self.known.ids[self.model]
        for model, public_id in self.known.ids.items():
            if variable == values.variable(self.definition, model):
                return public_id
        return self.definition.ids.of(self.model).encode(examples.EXAMPLE_ID - variable.endswith("_b"))

    def _description(self, endpoint: Endpoint) -> str:
        if endpoint.action is CREATE and self.unwritable:
            return f"Odoo may refuse it: {', '.join(self.unwritable)} can't be written by this API."
        if not _changes(endpoint) or self.creates or self.keeps_nothing:
            return ""
        return "This collection creates no record of its own here: put the id of one of yours into it."

    def _missing(self) -> set[str]:
        if self.exposure is None or self.endpoint(CREATE) is None:
            return set()
        return {model for _, model in values.required(self.exposure) if model not in self.known.ids}

    def _leave_out_refused(self) -> None:
        """Leave out the endpoints that the executing user has no right for, where that is known."""
        allowed = self.known.allowed.get(self.model) if self.known.allowed is not None else None
        if allowed is None:
            return
        refused = [scope for scope, right in _RIGHTS.items() if right not in allowed]
        gone = {each.action.scope for each in self._served if each.action.scope in refused}
        self._served = [each for each in self._served if each.action.scope not in gone]
        if gone:
            names = ", ".join(scope.value for scope in refused if scope in gone)
            self.left_out.append(f"{names.capitalize()}, as the executing user has no right to it.")

    def _lent(self) -> Items:
        """Return the request that creates a record for others to refer to."""
        create = self.endpoint(CREATE)
        if create is None:
            return []
        test = answer_test([200], then=keep(values.variable(self.definition, self.model), "answer.result.id"))
        name = f"Create a record of {self.model} to refer to"
        return [self.request(name, create, create.path, test, body=self.body(creating=True))]

    def _taken_back(self) -> Items:
        """Return the request that deletes it again."""
        delete, variable = self.endpoint(DELETE), values.variable(self.definition, self.model)
        if delete is None:
            return []
        test = answer_test([200], unseen=[variable], then=forget(variable))
        return [self.request("Delete it again", delete, delete.path_with(f"{{{{{variable}}}}}"), test)]


def _changes(endpoint: Endpoint) -> bool:
    return endpoint.action.scope in (Scope.UPDATE, Scope.DELETE)


def tried(definition: Definition, served: Iterable[Endpoint], known: Known) -> list[Tried]:
    """Return the models of an API, each with its endpoints in the order in which they are tried."""
    models: dict[str, list[Endpoint]] = {}
    for endpoint in sorted(served, key=lambda each: requests.place(each.action)):
        models.setdefault(endpoint.exposure.name if endpoint.exposure else "", []).append(endpoint)
    found = {model: Tried(definition, of_model, known) for model, of_model in models.items()}
    for each in found.values():
        each.borrow({model: other for model, other in found.items() if other is not each})
    return list(found.values())


#: The requests of each action: ``@requests(SEARCH)``, called with the endpoint and its path in the collection. They are
#: run in the order of their registration: what is created is read, changed, deleted.
requests: Aspect[Callable[[Tried, Endpoint, str], Items]] = Aspect("requests")
