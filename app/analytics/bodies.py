"""Bodies and queries for the request log: taken raw during the call, made fit for it by the background writer.

Only JSON and text, never content of files; masked, cut, and with a word on what is missing. What was masked is masked
in the texts of a failure too, also where the log keeps no bodies. Where nobody knows all that is hidden of a request,
the log has neither answer nor texts.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

import orjson

from app.definitions.masking import Mask, Masking
from app.json import MAX_DEPTH, dumps, is_too_deep

_logger = logging.getLogger(__name__)

#: Bytes of the largest body that is taken apart: to be cut it has to be masked first, and therefore parsed.
MAX_PARSED = 512 * 1024
#: The same of text that is no JSON, in which names have to be searched for.
MAX_TEXT = 64 * 1024
#: Bytes of bodies that may wait to be written, in each process.
CAPACITY = 32 * 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_MAX_PARAMETERS = 50
_MAY_REPEAT = "Left out: it may repeat what is hidden of the request, which is not all known."


@dataclass(frozen=True, slots=True)
class Body:
    """One body as it went over the wire; ``note`` says why there is none of it."""

    data: bytes = b""
    mimetype: str = ""
    note: str | None = None

    @classmethod
    def of(cls, data: bytes, mimetype: str) -> Body:
        """Return a body that the log can take apart, or a note on one that it can't."""
        if data and not _is_legible(mimetype):
            return cls(note=f"Left out: {mimetype}, {len(data):,} bytes.")
        if len(data) > MAX_PARSED:
            return cls(note=f"Left out: {len(data):,} bytes are more than the log takes apart.")
        return cls(data, mimetype)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The bodies of a call and its query, what is hidden of them, and the bytes that are kept of each.

    ``kept`` is False where they only tell what has to be hidden in the texts of a failure.
    """

    request: Body
    response: Body
    masking: Masking
    most: int
    query: Body = Body()
    kept: bool = True

    @property
    def size(self) -> int:
        """The bytes that wait with it."""
        return len(self.request.data) + len(self.response.data) + len(self.query.data)

    def without_content(self) -> Exchange:
        """Return the same without bodies, for want of room."""
        crowded = Body(note="Left out: too many bodies were waiting to be written.")
        return replace(self, request=crowded, response=crowded, query=crowded)


@dataclass(frozen=True, slots=True)
class Legible:
    """Bodies and query for the log. The notes say what is missing.

    ``message`` and ``reason`` are those of the failure, without what was hidden.
    """

    request_body: str | None = None
    request_note: str | None = None
    response_body: str | None = None
    response_note: str | None = None
    query: str | None = None
    query_note: str | None = None
    message: str | None = None
    reason: str | None = None


def legible(exchange: Exchange, message: str | None, reason: str | None = None) -> Legible:
    """Mask a call's bodies and query, and the texts of its failure, for the log."""
    mask = Mask(exchange.masking)
    try:
        request, response = _shown(exchange.request, mask, request=True), exchange.response
        query = _shown_text(exchange.query, mask) if exchange.query.data else (None, exchange.query.note)
        if mask.is_blind or any(document is None and note for document, note in (request, query)):
            response = Body(note=response.note or (_MAY_REPEAT if response.data else None))
            message = reason = None
        answer = _shown(response, mask, request=False)
        texts = {"message": mask.scrub(message), "reason": mask.scrub(reason)}
        if not exchange.kept:
            return Legible(**texts)
        parts = (_cut(mask.scrub(document), note, exchange.most) for document, note in (request, answer, query))
        return Legible(*chain.from_iterable(parts), **texts)
    except Exception:  # what strangers send must not hold up the log
        _logger.exception("Bodies could not be made fit for the log")
        note = "Left out: it could not be made fit for the log." if exchange.kept else None
        return Legible(request_note=note, response_note=note, query_note=note)


class Room:
    """Counts the bytes of bodies that wait, so that they can't fill the memory."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._held = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take room; False, and nothing taken, where there is not enough."""
        with self._lock:
            if self._held + size > self.capacity:
                return False
            self._held += size
            return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._held -= size


def _is_legible(mimetype: str) -> bool:
    return (
        not mimetype
        or mimetype in ("application/json", _FORM)
        or mimetype.endswith("+json")
        or mimetype.startswith("text/")
    )


def _shown(body: Body, mask: Mask, *, request: bool) -> tuple[Any, str | None]:
    """Mask a body: plain data or text, and a note on parts that are missing."""
    if not body.data.strip():
        return None, body.note
    try:
        document = orjson.loads(body.data)
    except orjson.JSONDecodeError:
        return _shown_text(body, mask)
    if is_too_deep(document):  # it was refused
        return None, f"Left out: nested more than {MAX_DEPTH} levels deep; {len(body.data):,} bytes."
    return (mask.request(document) if request else mask.value(document)), None


def _shown_text(body: Body, mask: Mask) -> tuple[Any, str | None]:
    """A form is shown as an object. What is neither is kept only where no hidden name can stand in it."""
    left_out = f"Left out: neither JSON nor a form, so that nothing in it could be masked; {len(body.data):,} bytes."
    if len(body.data) > MAX_TEXT:
        return None, left_out
    try:
        text = body.data.decode()
    except UnicodeDecodeError:
        return None, f"Left out: no text, {len(body.data):,} bytes."
    try:
        pairs = parse_qsl(text.strip(), keep_blank_values=True, strict_parsing=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        return (None, left_out) if mask.masking.mentions(text) else (text, None)
    found: dict[str, Any] = {}
    for name, value in pairs:
        shown = mask.value({name: value})[name]
        found[name] = [*_many(found[name]), shown] if name in found else shown
    return found, None


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _cut(document: Any, note: str | None, most: int) -> tuple[str | None, str | None]:
    """Return the text of a document, with a note where it was too long."""
    if document is None:
        return None, note
    data = document.replace("\x00", "\ufffd").encode() if isinstance(document, str) else dumps(document)
    if len(data) <= most:
        return data.decode(), note
    return data[:most].decode(errors="ignore"), f"Cut: these are the first {most:,} of {len(data):,} bytes."
