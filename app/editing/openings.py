"""Openings: what an API lets callers do, in lines for who looks at a file before it is imported.

Of a new API that is all, of a changed one what it lets them do besides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from app.definitions.definition import Definition, Exposure, Node
from app.definitions.document import SWITCHES
from app.operations.endpoints import endpoints

Level = Literal["", "warn", "danger"]

_ANYBODY = "anybody, without logging in"
_KNOWN = "users and client apps that log in"
_REAL = "production: what calls change stays changed"
_TEST = "test: each call is taken back when it is done"
_AGENTS_READ = "what reads is a tool"
_AGENTS_WRITE = {
    "none": "what writes is a tool, done at once",
    "ask": "what writes is a tool, shown and asked for first",
    "person": "what writes is a tool, approved by a person who is logged in",
}
#: Names that open less than others: who has had one of these gains nothing by it.
_LESS: Mapping[str, tuple[str, ...]] = {
    _KNOWN: (_ANYBODY,),
    _TEST: (_REAL,),
    _AGENTS_WRITE["ask"]: (_AGENTS_WRITE["none"],),
    _AGENTS_WRITE["person"]: (_AGENTS_WRITE["none"], _AGENTS_WRITE["ask"]),
}
#: Kinds whose names are counted, each with the noun for one of them.
_COUNTED = {"shows": "field", "is searched by": "field", "takes values for": "field"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is opened: of what, of which kind, and its names; ``level`` tells what to look at twice.

    A kind that is "" has sentences for names.
    """

    subject: str
    kind: str
    names: tuple[str, ...]
    level: Level = ""

    @property
    def text(self) -> str:
        """The kind in words, with the number of its names."""
        if self.kind not in _COUNTED:
            return self.kind
        count, noun = len(self.names), _COUNTED[self.kind]
        return f"{self.kind} {count} {noun}{'' if count == 1 else 's'}"

    def __str__(self) -> str:
        said = ", ".join(self.names)
        return f"{self.subject}: {self.text + ': ' if self.text else ''}{said}"


#: Openings by the name of an API or client app.
Openings: TypeAlias = Mapping[str, list[Line]]


def opened(new: Definition, old: Definition | None, administrators: Collection[int]) -> list[Line]:
    """Return the lines of ``new`` that ``old``, where there is one, does not have: its openings.

    A draft lets nobody do anything: of a new one is said what it would do, of a changed one nothing.
    """
    if old is not None and not new.document.published:
        return []
    had: dict[tuple[str, str], tuple[str, ...]] = {}
    if old is not None and old.document.published and not old.problems:
        had = {(line.subject, line.kind): line.names for line in _lines(old, administrators)}
    found = []
    for line in _lines(new, administrators):
        before = had.get((line.subject, line.kind), ())
        names = tuple(name for name in line.names if not {name, *_LESS.get(name, ())} & set(before))
        if names:
            found.append(replace(line, names=names))
    return found


def _lines(definition: Definition, administrators: Collection[int]) -> Iterator[Line]:
    """Yield all that an API lets callers do."""
    document = definition.document
    state = "published: served as soon as this is imported" if document.published else "a draft: nobody can call it yet"
    yield Line("Route", "", (f"{document.route}, {state}",))
    yield _callers(definition)
    yield Line("Callers", "client apps", tuple(document.clients))
    yield Line("Callers", "web pages of", tuple(document.cors_origins))
    if document.type != "key_authentication":
        yield _executor(definition, administrators)
        yield Line("Mode", "", (_TEST if document.keeps_nothing else _REAL,))
    if document.mcp is not False:
        writes = document.mcp == "write" and _changes_records(definition)
        named = (_AGENTS_READ, *([_AGENTS_WRITE[document.mcp_approval]] if writes else ()))
        yield Line("AI agents", "", named, "warn" if writes else "")
    for exposure in definition.exposures.values():
        yield from (_method if document.type == "rpc" else _model)(definition, exposure)


def _callers(definition: Definition) -> Line:
    if definition.document.type == "key_authentication":
        return Line("Callers", "", ("who has an API key of Odoo's gets a session for it",))
    if definition.document.authentication == "public":
        return Line("Callers", "", (_ANYBODY,), "danger" if _changes_records(definition) else "warn")
    return Line("Callers", "", (_KNOWN,))


def _executor(definition: Definition, administrators: Collection[int]) -> Line:
    document = definition.document
    if definition.run_as in administrators:
        return Line("Runs as", "", (f"{document.run_as}, an administrator of Odoo",), "danger")
    public = document.authentication == "public"
    nobody = "Odoo's public user" if public else "each caller, with their own rights"
    return Line("Runs as", "", (document.run_as or nobody,))


def _changes_records(definition: Definition) -> bool:
    """True if callers may change something; a method may do anything."""
    served = endpoints(definition)
    return definition.document.type == "rpc" or any(endpoint.action.changes_records for endpoint in served)


def _method(definition: Definition, exposure: Exposure) -> Iterator[Line]:
    document = definition.document
    level: Level = "danger" if document.authentication == "public" else ""
    yield Line(
        exposure.name, "", (f"calls its method {document.method} by {' or '.join(document.http_methods)}",), level
    )
    yield Line(exposure.name, "records", (_records(exposure),))


def _model(definition: Definition, exposure: Exposure) -> Iterator[Line]:
    served = [endpoint for endpoint in endpoints(definition) if endpoint.exposure is exposure]
    on = {name for each in served for name in each.action.switches} & exposure.switches
    writes: Level = "danger" if definition.document.authentication == "public" else ""
    changes = any(endpoint.action.changes_records for endpoint in served)
    shows = tuple(_paths(exposure.shown)) if on & {"read", "search", "create", "update"} else ()
    operations = tuple(name.replace("_", " ") for name in SWITCHES if name in on)
    yield Line(exposure.name, "offers", operations, writes if changes else "")
    yield Line(exposure.name, "records", (_records(exposure),))
    if exposure.all_fields:
        yield Line(exposure.name, "", ("all fields, also those that Odoo has later",), "warn")
    yield Line(exposure.name, "shows", shows)
    yield Line(exposure.name, "is searched by", tuple(exposure.searchable.fields) if "search" in on else ())
    if on & {"create", "update"}:
        yield Line(exposure.name, "takes values for", tuple(_written(exposure)), writes)


def _records(exposure: Exposure) -> str:
    return f"those that match {list(exposure.domain)}" if exposure.domain else "all that the user may see"


def _paths(node: Node, before: str = "") -> Iterator[str]:
    """Yield the fields of a node, and as paths those of related records."""
    for name in node.fields:
        yield before + name
        if name in node.related:
            yield from _paths(node.related[name], f"{before}{name}.")


def _written(exposure: Exposure) -> Iterator[str]:
    """Yield the fields that callers write, and as paths those of the lines that they write along."""
    for name, info in exposure.node.fields.items():
        if name in exposure.writable_fields:
            yield name
            below = exposure.node.related.get(name) if info.to_many else None
            yield from (f"{name}.{inner}" for inner, line in (below.fields.items() if below else ()) if line.writable)
