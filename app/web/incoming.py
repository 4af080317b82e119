"""Input of a request, read once: parameters, body, and whether the body is a JSON-RPC envelope.

Parameters of a GET come in the query string or in the body, form-encoded whatever the Content-Type, or as a JSON
object (contract section 2). Those of a QUERY stand in the body, which is what its Content-Type says (RFC 10008 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import ApiError, BadRequest, UnsupportedMediaType
from app.json import load
from app.web.http_methods import ACCEPT_QUERY, is_safe
from app.web.steps import mark_of

Value = TypeVar("Value")
Names: TypeAlias = frozenset[str] | tuple[str, ...]

_MAX_PARAMETERS = 50
#: Query strings that are remembered with what was found in them are no longer.
_REMEMBERED = 500
#: Lists of REST, ``a,b``: some generated clients name each item by itself in the address, ``ids=a&ids=b``.
_LISTS = frozenset({"fields", "ids"})
_ENVELOPE = frozenset({"jsonrpc", "method", "params", "id"})


class Incoming:
    """One request's input. ``rpc_id`` is the id of the JSON-RPC envelope, once a body with one has been read.

    ``is_stream``: its body is answered while it comes in, and is not here.
    """

    def __init__(self, request: Request) -> None:
        """Read the body, which is here as a whole: the server waits for it (``serving.framing``).

        One that is answered while it comes in is left to who imports it (``serving.incoming``).
        """
        self._request = request
        self.is_stream = "gatehouse.incoming" in request.environ
        is_here = _announces_body(request) and not self.is_stream
        self._data = request.get_data() if is_here else b""
        if self._data and "CONTENT_LENGTH" not in request.environ:
            limit = request.max_content_length
            if limit is not None and len(self._data) >= limit:
                # Werkzeug, and the server before it, cut a chunked body off at the limit without a word.
                raise RequestEntityTooLarge
        self.rpc_id: Any = None
        self._document: Any = None
        self._problem: ApiError | None = None
        self._parsed = False
        mark = mark_of(request.environ)
        self._given = None if mark is None else mark.body
        self._is_tools = mark is not None and mark.tool is not None

    @property
    def has_body(self) -> bool:
        """True if the request carries a body that is more than nothing."""
        return bool(self._data) or self.is_stream

    @property
    def data(self) -> bytes:
        """The body as it came."""
        return self._data

    def parameters(self, lists: Names = _LISTS) -> dict[str, Any]:
        """Return the parameters of the query string and of the body of a GET or QUERY.

        A name may appear once, but for those of ``lists`` in the query string, whose items are joined.
        """
        found: dict[str, Any] = self.query(lists)
        if self._request.method == "QUERY":
            return _unique([*found.items(), *self._parameters_as_said()])
        if self._data and is_safe(self._request.method):
            return _unique([*found.items(), *self._parameters_by_look()])
        return found

    def query(self, lists: Names = _LISTS) -> dict[str, str]:
        """Return the parameters of the query string alone, for calls whose body is something else."""
        query = self._request.query_string
        if not query:
            return {}
        return dict(_of_query(query, lists) if len(query) <= _REMEMBERED else _of_query.__wrapped__(query, lists))

    def parse(self) -> None:
        """Parse the body, so that its envelope's id is known; what is wrong with it is for ``body`` to say."""
        if not self._parsed:
            self._parsed = True
            try:
                self._document = self._parse()
            except ApiError as error:
                self._problem = error

    def sent(self) -> Any:
        """Return the JSON of the body as ``body`` does, or None where something is wrong with it."""
        self.parse()
        return self._document

    def body(self) -> Any:
        """Return the JSON of the body, out of its envelope; raises BadRequest or UnsupportedMediaType."""
        self.parse()
        if self._problem is not None:
            raise self._problem
        return self._document

    def _parse(self) -> Any:
        mimetype = self._request.mimetype
        if mimetype != "application/json" and not mimetype.endswith("+json"):
            raise UnsupportedMediaType(
                f"The body must be JSON, with Content-Type: application/json, not {mimetype[:80] or 'nothing'}.",
                data={"parameter": "Content-Type"},
            )
        return self._unwrap(self._json())

    def _json(self) -> Any:
        """Return the JSON of the body; of a step of a batch it is there already, with references in place of ids."""
        return _load_json(self._data) if self._given is None else self._given

    def _parameters_by_look(self) -> list[tuple[str, Any]]:
        if self._data.lstrip()[:1] == b"{":
            return self._parameters_of_json()
        return self._parameters_of_form("The body is neither a JSON object nor form-encoded parameters")

    def _parameters_as_said(self) -> list[tuple[str, Any]]:
        mimetype = self._request.mimetype
        if not mimetype:
            raise BadRequest(
                f"A QUERY says by its Content-Type what its body is: {ACCEPT_QUERY}.",
                name="missing_content_type",
                data={"parameter": "Content-Type"},
            )
        if mimetype == "application/json" or mimetype.endswith("+json"):
            return self._parameters_of_json()
        if mimetype == "application/x-www-form-urlencoded":
            return self._parameters_of_form("The body is not form-encoded") if self._data.strip() else []
        raise UnsupportedMediaType(
            f"The body of a QUERY is one of {ACCEPT_QUERY}, not {mimetype[:80]}.", data={"parameter": "Content-Type"}
        )

    def _parameters_of_json(self) -> list[tuple[str, Any]]:
        document = self._unwrap(self._json())
        if not isinstance(document, dict):
            raise _invalid_json("The body must be an object of parameters.")
        return list(document.items())

    def _parameters_of_form(self, wrong: str) -> list[tuple[str, Any]]:
        try:
            text = self._data.decode().strip()
            return parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MAX_PARAMETERS)
        except ValueError:
            raise BadRequest(
                f"{wrong} (name=value&name=value).", name="invalid_body", data={"parameter": "body"}
            ) from None

    def _unwrap(self, document: Any) -> Any:
        """Return the params of a JSON-RPC envelope, or the document itself where it is none.

        A tool's body never is: it is shown to a person as it stands.
        """
        if self._is_tools or not isinstance(document, dict) or document.get("jsonrpc") != "2.0":
            return document
        unknown = sorted(document.keys() - _ENVELOPE)
        if unknown:
            raise BadRequest(
                f"Unknown key {unknown[0][:80]!r} beside jsonrpc. Known are: {', '.join(sorted(_ENVELOPE))}.",
                name="invalid_envelope",
                data={"parameter": unknown[0][:200], "allowed": sorted(_ENVELOPE)},
            )
        rpc_id = document.get("id")
        if rpc_id is not None and (isinstance(rpc_id, bool) or not isinstance(rpc_id, (str, int, float))):
            raise BadRequest(
                "The envelope's id must be text, a number or null.", name="invalid_envelope", data={"parameter": "id"}
            )
        self.rpc_id = rpc_id
        return document.get("params", {})


def _announces_body(request: Request) -> bool:
    """True if the request's head says that a body follows (RFC 9112 6.3); that of a GET mostly does not."""
    environ = request.environ
    return "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ


def refuse_nul(request: Request) -> None:
    """Refuse a form with a NUL, which no person types and PostgreSQL does not take for text; raises BadRequest."""
    for name, value in request.form.items(multi=True):
        if "\x00" in value:
            raise BadRequest("A field holds a NUL.", name="invalid_form", data={"parameter": name[:200]})


def _load_json(data: bytes) -> Any:
    if not data.strip():
        raise _invalid_json("A JSON body is expected, but the body is empty.")
    try:
        return load(data)
    except ValueError as error:
        raise _invalid_json(f"The body is not valid JSON: {error}.") from None


def _invalid_json(message: str) -> BadRequest:
    return BadRequest(message, name="invalid_json", data={"parameter": "body"})


@lru_cache(maxsize=256)
def _of_query(query: bytes, lists: Names) -> dict[str, str]:
    """Return the parameters of a query string, which is taken apart as Werkzeug does it for ``Request.args``."""
    pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
    return _unique(_joined(MultiDict(pairs), lists))


def _joined(given: MultiDict[str, str], lists: Names) -> Iterator[tuple[str, str]]:
    """Yield names and values; a list whose items come one by one is yielded once, as ``a,b``."""
    for name, values in given.lists():
        if name in lists:
            yield name, ",".join(values)
        else:
            yield from ((name, value) for value in values)


def _unique(pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(
                f"Parameter {name[:80]!r} is given twice.", name="duplicate_parameter", data={"parameter": name[:200]}
            )
        found[name] = value
    return found
