"""Messages of the Model Context Protocol over streamable HTTP, each read by itself: no session, no state between two.

In revision 2026-07-28 a request says its version and what its client can do; those before it begin with ``initialize``,
and what is told there is not needed later (specification 2026-07-28: basic, basic/versioning,
basic/transports/streamable-http).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from app.version import VERSION

Json: TypeAlias = dict[str, Any]

#: The revision in which each request stands for itself, and those with a handshake, the newest first.
MODERN: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
REVISIONS: Final = (MODERN, *HANDSHAKE)
#: The revision of a request that names none: the header came with the next one.
_UNNAMED: Final = HANDSHAKE[-1]
_PREFIX: Final = "io.modelcontextprotocol/"
_VERSION, _CLIENT, _CAPABILITIES, _SERVER = (
    f"{_PREFIX}{name}" for name in ("protocolVersion", "clientInfo", "clientCapabilities", "serverInfo")
)
#: Member of ``params`` that the header Mcp-Name repeats, by method.
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_LONGEST_AGENT: Final = 100
SERVER: Final[Json] = {"name": "gatehouse", "title": "Gatehouse", "version": VERSION}


class Code(IntEnum):
    """Codes of errors: JSON-RPC 2.0 5.1, and those of the specification (basic/index, "Error Codes")."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    #: In revisions with a handshake (2025-11-25: server/resources, "Error Handling").
    RESOURCE_NOT_FOUND = -32002
    HEADER_MISMATCH = -32020
    UNSUPPORTED_VERSION = -32022


class ProtocolError(Exception):
    """A message is wrong in a way that no model can mend: the answer is an error of JSON-RPC."""

    def __init__(self, code: Code, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> Json:
        """Return the ``error`` of the answer."""
        data = {} if self.data is None else {"data": self.data}
        return {"code": int(self.code), "message": self.message, **data}

    @property
    def status(self) -> int:
        """The HTTP status (basic/transports/streamable-http, "Protocol Version Header" and "Server Validation")."""
        return {Code.METHOD_NOT_FOUND: 404, Code.INTERNAL_ERROR: 500}.get(self.code, 400)


@dataclass(frozen=True, slots=True)
class Routing:
    """Headers that repeat what stands in the body, for what stands between; None for those that are not there."""

    version: str | None = None
    method: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A request of a client, or a notification: then ``id`` is None.

    ``agent`` is what the client calls itself, which nobody has checked. ``elicits`` are the modes in which it can ask
    its user: "form", "url".
    """

    id: str | int | None
    method: str
    params: Mapping[str, Any]
    revision: str
    agent: str = ""
    elicits: frozenset[str] = frozenset()

    @property
    def is_modern(self) -> bool:
        """True if it is of a revision without a handshake."""
        return self.revision == MODERN

    def result(self, content: Json, *, complete: bool = True) -> Json:
        """Return the answer with a result."""
        if self.is_modern:
            kind = "complete" if complete else "input_required"
            content = {"resultType": kind, **content, "_meta": {**content.get("_meta", {}), _SERVER: SERVER}}
        return {"jsonrpc": "2.0", "id": self.id, "result": content}


def failure(message_id: str | int | None, error: ProtocolError) -> Json:
    """Return the answer with an error."""
    return {"jsonrpc": "2.0", "id": message_id, "error": error.to_json()}


def id_of(document: Any) -> str | int | None:
    """Return the id of a message that may be wrong in all else; None where it has none that could be one."""
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def parse(document: Any, routing: Routing) -> Message:
    """Return the message of a body; raises ProtocolError."""
    method = document.get("method") if isinstance(document, dict) and document.get("jsonrpc") == "2.0" else None
    if not isinstance(method, str):
        raise ProtocolError(Code.INVALID_REQUEST, "The body must be a single request or notification of JSON-RPC 2.0.")
    params = document.get("params", {})
    meta = params.get("_meta", {}) if isinstance(params, dict) else None
    if not isinstance(params, dict) or not isinstance(meta, dict):
        raise ProtocolError(Code.INVALID_PARAMS, "params, and _meta in it, must be objects.")
    named = routing.version
    if "id" not in document:
        if named is not None and named not in REVISIONS:
            raise _unsupported(named)
        return Message(None, method, params, named or _UNNAMED)
    if id_of(document) is None:
        raise ProtocolError(Code.INVALID_REQUEST, "The id of a request must be a text or a whole number.")
    if _VERSION not in meta and named is not None and named not in REVISIONS:
        raise _unsupported(named)
    if _VERSION not in meta and (named is None or named in HANDSHAKE):
        return Message(document["id"], method, params, named or _UNNAMED)
    _check(method, params, meta, routing)
    capabilities = meta[_CAPABILITIES].get("elicitation")
    return Message(document["id"], method, params, MODERN, _agent(meta.get(_CLIENT)), _modes(capabilities))


def negotiated(params: Mapping[str, Any]) -> str:
    """Return the revision for a client that begins with ``initialize``: its own, or the newest of them."""
    asked = params.get("protocolVersion")
    return asked if asked in HANDSHAKE else HANDSHAKE[0]


def _check(method: str, params: Mapping[str, Any], meta: Mapping[str, Any], routing: Routing) -> None:
    """Check a request of the revision without a handshake, in the order in which its errors count."""
    missing = [name for name in (_VERSION, _CAPABILITIES) if name not in meta]
    if missing:
        raise ProtocolError(Code.INVALID_PARAMS, f"_meta lacks {' and '.join(missing)}.")
    if not isinstance(meta[_VERSION], str) or not isinstance(meta[_CAPABILITIES], dict):
        raise ProtocolError(Code.INVALID_PARAMS, f"In _meta, {_VERSION} is a text and {_CAPABILITIES} an object.")
    _agree("MCP-Protocol-Version", routing.version, meta[_VERSION])
    _agree("Mcp-Method", routing.method, method)
    if method in _NAMED:
        _agree("Mcp-Name", _decoded(routing.name), params.get(_NAMED[method]))
    if meta[_VERSION] != MODERN:
        raise _unsupported(meta[_VERSION])


def _agree(header: str, value: str | None, said: Any) -> None:
    if value is None or value != said:
        what = "is missing" if value is None else f"says {value[:80]!r}"
        message = f"Header mismatch: {header} {what}, and the body {str(said)[:80]!r}."
        raise ProtocolError(Code.HEADER_MISMATCH, message)


def _decoded(value: str | None) -> str | None:
    """Return the value of a header as the body has it ("Value Encoding"); text that is no base64 stays what it is."""
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[len("=?base64?") : -len("?=")], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value


def _unsupported(version: str) -> ProtocolError:
    data = {"supported": list(REVISIONS), "requested": version[:80]}
    return ProtocolError(Code.UNSUPPORTED_VERSION, "Unsupported protocol version", data)


def _modes(elicitation: Any) -> frozenset[str]:
    """Return the modes of elicitation that a client declares; an empty object stands for forms."""
    if not isinstance(elicitation, dict):
        return frozenset()
    return frozenset(mode for mode in ("form", "url") if mode in elicitation) if elicitation else frozenset({"form"})


def _agent(client: Any) -> str:
    """Return the name that a client gives itself, as logs can show it."""
    parts = [client.get(name) for name in ("name", "version")] if isinstance(client, dict) else []
    text = " ".join(part for part in parts if isinstance(part, str))
    return "".join(character for character in text if character.isprintable())[:_LONGEST_AGENT]
