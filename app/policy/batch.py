"""Batches, checked: their steps, and the references by which a step names what another one has made.

``@{p.id}`` stands for the record of the step ``p`` where an id stands: as a whole segment of a path, or as a value in a
body. Text that only begins with these two characters is written ``@@{``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from app.definitions.ids import Reference
from app.errors import BadRequest

METHODS = ("GET", "QUERY", "POST", "PUT", "PATCH", "DELETE")
#: Headers that a step can have of its own; all others are those of the batch.
HEADERS = ("If-Match", "If-None-Match")
_KEYS = frozenset({"ref", "method", "path", "body", "headers"})
#: Pattern of what a step can be named.
REF = "[A-Za-z_][A-Za-z0-9_-]{0,63}"
_REF = re.compile(REF)
_REFERENCE = re.compile(r"@\{(" + REF + r")\.id\}")
_MARK, _ESCAPED = "@{", "@@{"
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a batch. ``body`` is None where it has none; ``ref`` None where nobody refers to it."""

    index: int
    method: str
    path: str
    query: str
    ref: str | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The step in messages."""
        return f"Step {self.index} ({self.ref})" if self.ref else f"Step {self.index}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Calls that are made one after the other; ``atomic``: all of them or none."""

    atomic: bool
    steps: tuple[Step, ...]


def batch(document: Any, most: int) -> Batch:
    """Return the batch of a body; raises BadRequest that names the step at fault."""
    if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
        raise _invalid("steps", 'Expected is {"steps": [{"method": …, "path": …, "body": …}, …]}.')
    unknown = sorted(document.keys() - {"atomic", "steps"})
    if unknown:
        raise _invalid(unknown[0], f"Unknown key {unknown[0][:80]!r}. Known are atomic and steps.")
    atomic, steps = document.get("atomic", True), document["steps"]
    if not isinstance(atomic, bool):
        raise _invalid("atomic", "atomic must be true or false.")
    if not 0 < len(steps) <= most:
        message = f"A batch has 1 to {most} steps, and this one {len(steps)}."
        raise BadRequest(message, name="too_many", data={"parameter": "steps"})
    found: list[Step] = []
    for index, source in enumerate(steps):
        step = _step(source, index)
        if step.ref is not None and step.ref in {other.ref for other in found}:
            raise _of_step(index, "ref", f"{step.ref!r} is the ref of two steps.")
        found.append(step)
    return Batch(atomic, tuple(found))


def _step(source: Any, index: int) -> Step:
    if not isinstance(source, dict):
        raise _of_step(index, "steps", "a step is an object with method and path.")
    unknown = sorted(source.keys() - _KEYS)
    if unknown:
        raise _of_step(index, unknown[0], f"unknown key {unknown[0][:80]!r}. Known are {', '.join(sorted(_KEYS))}.")
    ref, method, path = source.get("ref"), source.get("method"), source.get("path")
    if ref is not None and not (isinstance(ref, str) and _REF.fullmatch(ref)):
        raise _of_step(index, "ref", "ref has 1 to 64 letters, digits, - and _, and begins with a letter or _.")
    if method not in METHODS:
        raise _of_step(index, "method", f"method is one of {', '.join(METHODS)}.")
    if not isinstance(path, str) or not path.startswith("/api/") or "#" in path or not path.isprintable():
        raise _of_step(index, "path", "path begins with /api/, may have a query string, and is encoded as in a URL.")
    headers = source.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _of_step(index, "headers", "headers is an object of names and texts.")
    for name, value in headers.items():
        if name not in HEADERS or not (value.isascii() and value.isprintable()):
            raise _of_step(index, "headers", f"a step has {' and '.join(HEADERS)}; all other headers are the batch's.")
    route, _, query = quote(path, safe=_ASCII).partition("?")  # a client may leave other letters as they are
    if _mentions(query):
        raise _of_step(index, "path", "a reference stands as a segment of the path, not in its query string.")
    return Step(index, method, route, query.replace(_ESCAPED, _MARK), ref, source.get("body"), headers)


def in_path(step: Step, known: Mapping[str, Reference]) -> tuple[str, dict[str, Reference]]:
    """Return the path of a step without escapes, and the references in it by their text; raises BadRequest."""
    found: dict[str, Reference] = {}
    segments = []
    for segment in step.path.split("/"):
        match = _REFERENCE.fullmatch(segment)
        if match is not None:
            found[segment] = _known(match, known, step, "path")
        elif _mentions(segment):
            raise _of_step(step.index, "path", f"{segment[:80]!r} is no reference: that is a whole segment.")
        segments.append(segment.replace(_ESCAPED, _MARK))
    return "/".join(segments), found


def in_body(step: Step, known: Mapping[str, Reference]) -> Any:
    """Return the body of a step with its references resolved; raises BadRequest."""
    return _resolved(step.body, known, step)


def _resolved(value: Any, known: Mapping[str, Reference], step: Step) -> Any:
    if isinstance(value, str):
        match = _REFERENCE.fullmatch(value)
        if match is not None:
            return _known(match, known, step, "body")
        if _mentions(value):
            message = f"{value[:80]!r} is no reference, as @{{p.id}} is; the text itself is written with @@{{."
            raise _of_step(step.index, "body", message)
        return value.replace(_ESCAPED, _MARK)
    if isinstance(value, list):
        return [_resolved(item, known, step) for item in value]
    if isinstance(value, dict):
        for name in value:
            if _mentions(name):
                raise _of_step(step.index, "body", f"{name[:80]!r}: a reference is a value, and no name.")
        return {name.replace(_ESCAPED, _MARK): _resolved(item, known, step) for name, item in value.items()}
    return value


def _mentions(text: str) -> bool:
    """True if a text holds the beginning of a reference that is not escaped."""
    return _MARK in text.replace(_ESCAPED, "\0")


def _known(match: re.Match[str], known: Mapping[str, Reference], step: Step, place: str) -> Reference:
    if match[1] not in known:
        raise _of_step(
            step.index, place, f"{match[0]}: no step before this one has made a record by the ref {match[1]!r}."
        )
    return known[match[1]]


def _of_step(index: int, parameter: str, message: str) -> BadRequest:
    data = {"parameter": parameter[:200], "step": index}
    return BadRequest(f"Step {index}: {message}", name="invalid_step", data=data)


def _invalid(parameter: str, message: str) -> BadRequest:
    return BadRequest(message, name="invalid_batch", data={"parameter": parameter[:200]})
