"""First call: one that a caller may make, that works as it stands, and that changes nothing if there is such a one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from app.definitions.definition import Definition
from app.openapi import curl, examples
from app.operations.actions import CALL, CALL_ON_RECORD, CREATE, READ, SEARCH, Action
from app.operations.endpoints import Endpoint
from odoo_bridge import records
from odoo_bridge.credentials import public_user
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment, Transactions, act_as

#: Records that a first search asks for.
_LIMIT = 3
#: What serves as a first call, the plainest first.
_ORDER: tuple[Action, ...] = (SEARCH, CALL, CALL_ON_RECORD, READ, CREATE)


@dataclass(frozen=True, slots=True)
class FirstCall:
    """A call of an API, its address and body encoded. ``changes`` says that something may be changed by it."""

    definition: Definition
    method: str
    address: str
    body: str | None
    changes: bool

    @property
    def is_open(self) -> bool:
        """True if it needs no log-in."""
        return self.definition.document.authentication == "public"

    def command(self, base: str, credentials: str = "") -> str:
        """Return the call as a command line; ``base`` is the server's address, ``credentials`` are of ``curl``."""
        headers = {} if self.body is None else {"Content-Type": "application/json"}
        return curl.call(self.method, base + self.address, credentials, headers, self.body)


def first_call(
    transactions: Transactions, served: Iterable[Endpoint], uid: int | None, *, harmless: bool = True
) -> FirstCall | None:
    """Return the first call of a user, or of a stranger (``uid`` None); None where no endpoint serves for one.

    What asks for a log-in comes first: of a stranger's endpoints none does. Where it need not be ``harmless``, calls
    that need arguments come after those that do not, and calls that may change something after all others.
    """
    fit = [endpoint for endpoint in served if _serves(endpoint) and (_is_plain(endpoint) or not harmless)]
    for endpoint in sorted(fit, key=_rank):
        public_id = _example(transactions, endpoint, uid) if endpoint.action.on_one_record else ""
        if public_id is not None:
            return _call(endpoint, endpoint.path_with(quote(str(public_id))))
    return None


def _call(endpoint: Endpoint, path: str) -> FirstCall:
    arguments = _arguments(endpoint)
    address, body = path, None
    if endpoint.method != "GET":
        body = json.dumps(arguments, ensure_ascii=False)
    elif arguments:
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}
        address += f"?{urlencode(query, quote_via=quote)}"
    return FirstCall(endpoint.definition, endpoint.method, address, body, _changes(endpoint))


def _arguments(endpoint: Endpoint) -> dict[str, Any]:
    definition, method = endpoint.definition, endpoint.definition.method
    if endpoint.action is SEARCH:
        return {"limit": min(_LIMIT, definition.document.max_page_size)}
    if endpoint.action is CREATE and endpoint.exposure is not None:
        return examples.values(definition, endpoint.exposure)
    return {} if method is None or not _needs_arguments(endpoint) else examples.arguments(definition, method)


def _serves(endpoint: Endpoint) -> bool:
    """True for what is worth to be called first; a method that is made for records is called on one."""
    method = endpoint.definition.method
    return endpoint.action in _ORDER and (method is None or method.on_model == (endpoint.action is CALL))


def _rank(endpoint: Endpoint) -> tuple[bool, bool, bool, bool, int, bool]:
    document = endpoint.definition.document
    return (
        not document.published,
        document.authentication == "public",
        _changes(endpoint),
        _needs_arguments(endpoint),
        _ORDER.index(endpoint.action),
        endpoint.method != "GET",
    )


def _is_plain(endpoint: Endpoint) -> bool:
    return not _changes(endpoint) and not _needs_arguments(endpoint)


def _needs_arguments(endpoint: Endpoint) -> bool:
    method = endpoint.definition.method
    needs = method is not None and any(parameter.required for parameter in method.parameters)
    return needs or endpoint.action is CREATE


def _changes(endpoint: Endpoint) -> bool:
    """True for a write, and for a method whose name does not say that it only reads, also where GET calls it."""
    definition, method = endpoint.definition, endpoint.definition.method
    reads = endpoint.action.reads if method is None else method.name.startswith("get_")
    return not reads and not definition.document.keeps_nothing


def _example(transactions: Transactions, endpoint: Endpoint, uid: int | None) -> Any:
    """Return the public id of a record that the executing user sees, None where there is none."""
    definition, exposure = endpoint.definition, endpoint.exposure
    if exposure is None:
        return None

    def look(root: Environment) -> int | None:
        is_open = definition.document.authentication == "public"
        caller = public_user(root).uid if uid is None or is_open else uid
        return records.first(act_as(root, definition.run_as or caller, {}), exposure.name, list(exposure.domain))

    try:
        found = transactions.run(look, keep=False)
    except BridgeError:  # no right to read the model
        return None
    return None if found is None else definition.ids.of(exposure.name).encode(found)
