"""First call: one that a caller may make, that needs no more than its address, and that changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from app.operations.actions import CALL, CALL_ON_RECORD, READ, SEARCH, Action
from app.operations.endpoints import Endpoint
from odoo_bridge import records
from odoo_bridge.credentials import public_user
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment, Transactions, act_as

#: Records that a first search asks for.
_LIMIT = 3
#: What serves as a first call, the plainest first.
_ORDER: tuple[Action, ...] = (SEARCH, CALL, CALL_ON_RECORD, READ)


@dataclass(frozen=True, slots=True)
class FirstCall:
    """A call of an API by its name; ``is_open`` says that it needs no log-in. ``body`` is None for a GET."""

    api: str
    method: str
    address: str
    is_open: bool
    body: Any = None


def first_call(transactions: Transactions, served: Iterable[Endpoint], uid: int | None) -> FirstCall | None:
    """Return the first call of a user, or of a stranger (``uid`` None); None where no endpoint serves for one.

    What asks for a log-in comes first: of a stranger's endpoints none does.
    """
    fit = [endpoint for endpoint in served if endpoint.action in _ORDER and _is_harmless(endpoint)]
    for endpoint in sorted(fit, key=lambda each: (_is_open(each), _ORDER.index(each.action))):
        public_id = _example(transactions, endpoint, uid) if endpoint.action.on_one_record else ""
        if public_id is None:
            continue
        address = endpoint.path_with(quote(str(public_id)))
        if endpoint.action is SEARCH:
            address += "?" + urlencode({"limit": min(_LIMIT, endpoint.definition.document.max_page_size)})
        body: Any = None if endpoint.method == "GET" else {}
        return FirstCall(endpoint.definition.name, endpoint.method, address, _is_open(endpoint), body)
    return None


def _is_open(endpoint: Endpoint) -> bool:
    return endpoint.definition.document.authentication == "public"


def _is_harmless(endpoint: Endpoint) -> bool:
    """True for a read, and for a method that needs no arguments and by its name or its API's mode changes nothing."""
    method = endpoint.definition.method
    if method is None:
        return endpoint.action.reads
    if any(parameter.required for parameter in method.parameters) or method.on_model != (endpoint.action is CALL):
        return False
    asks = endpoint.method == "GET" or method.name.startswith("get_")
    return asks or endpoint.definition.document.mode == "test"


def _example(transactions: Transactions, endpoint: Endpoint, uid: int | None) -> Any:
    """Return the public id of a record that the executing user sees, None where there is none."""
    definition, exposure = endpoint.definition, endpoint.exposure
    if exposure is None:
        return None

    def look(root: Environment) -> int | None:
        caller = public_user(root).uid if uid is None or _is_open(endpoint) else uid
        return records.first(act_as(root, definition.run_as or caller, {}), exposure.name, list(exposure.domain))

    try:
        found = transactions.run(look, keep=False)
    except BridgeError:  # no right to read the model
        return None
    return None if found is None else definition.ids.of(exposure.name).encode(found)
