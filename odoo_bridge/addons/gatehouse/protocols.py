"""Odoo's own RPC: its protocols, how a request is known to be of one, and how each says no."""

import json
import re
import xmlrpc.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

#: Largest body of a JSON-RPC call, in bytes, that is read for the id that its answer has to repeat.
_READ_FOR_ID = 1_000_000


@dataclass(frozen=True)
class Answer:
    """Answer to a refused call: the body, its content type and the HTTP status."""

    body: str
    mimetype: str
    status: int = 200


@dataclass(frozen=True)
class Protocol:
    """One way of Odoo's to be called from outside, with a switch of its own.

    ``path`` is where its routes begin, ``pattern`` finds such a path anywhere in an address. ``answer`` makes the
    refusal from the message and the body of the request.
    """

    key: str
    label: str
    path: str
    pattern: re.Pattern[str]
    answer: Callable[[str, bytes], Answer]

    @property
    def parameter(self) -> str:
        """The system parameter that closes it; as Odoo stores a switch that is on: it is there, or it is not."""
        return f"gatehouse.refuse_{self.key}"

    @property
    def message(self) -> str:
        """Sentence for the caller."""
        return (
            f"{self.label} ({self.path}) is switched off on this server. Please use an API that was published for you."
        )


def _fault(code: int | str, text: str) -> Answer:
    fault = xmlrpc.client.Fault(code, text)  # type: ignore[arg-type]  # XML-RPC 1 of Odoo's has codes that are texts
    return Answer(xmlrpc.client.dumps(fault, methodresponse=True), "text/xml")


def _xmlrpc_1(message: str, body: bytes) -> Answer:
    return _fault(f"warning -- AccessError\n\n{message}", "")


def _xmlrpc_2(message: str, body: bytes) -> Answer:
    return _fault(4, message)  # RPC_FAULT_CODE_ACCESS_ERROR


def _error(message: str) -> dict[str, Any]:
    """Return an error as Odoo's ``serialize_exception`` describes it, without a traceback."""
    name = "odoo.exceptions.AccessError"
    return {"name": name, "message": message, "arguments": [message], "context": {}, "debug": ""}


def _jsonrpc(message: str, body: bytes) -> Answer:
    error = {"code": 403, "message": message, "data": _error(message)}
    return Answer(json.dumps({"jsonrpc": "2.0", "id": _id_of(body), "error": error}), "application/json")


def _json_2(message: str, body: bytes) -> Answer:
    return Answer(json.dumps(_error(message)), "application/json", 403)


def _id_of(body: bytes) -> Any:
    try:
        found = json.loads(body).get("id") if len(body) <= _READ_FOR_ID else None
    except (ValueError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, (str, int, float)) else None


#: XML-RPC 2 stands before XML-RPC 1, whose path its own begins with.
PROTOCOLS = (
    Protocol("xmlrpc_2", "XML-RPC 2", "/xmlrpc/2", re.compile(r"/xmlrpc/2/"), _xmlrpc_2),
    Protocol("xmlrpc", "XML-RPC 1", "/xmlrpc", re.compile(r"/xmlrpc/(?!2/)"), _xmlrpc_1),
    Protocol("jsonrpc", "JSON-RPC", "/jsonrpc", re.compile(r"/jsonrpc"), _jsonrpc),
    Protocol("json_2", "JSON/2", "/json/2", re.compile(r"/json/2"), _json_2),
)


def of_routes(routes: Iterable[str]) -> Protocol | None:
    """Return the protocol that a controller's routes belong to, whatever address a request took to it."""
    for protocol in PROTOCOLS:
        if any(route == protocol.path or route.startswith(f"{protocol.path}/") for route in routes):
            return protocol
    return None


def in_address(address: str) -> list[Protocol]:
    """Return all protocols whose paths stand anywhere in an address.

    A caller can make an address look like more than it is, by its host or query, and never like less.
    """
    return [protocol for protocol in PROTOCOLS if protocol.pattern.search(address)]
