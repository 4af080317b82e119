"""Frozen, compiled definitions: what an API exposes, resolved against Odoo's models.

A request is judged by these objects alone. They hold no reference to the database or to Odoo, but for what tells
whether Odoo is still the one that they were compiled for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.definitions.document import EXTERNAL_ID, ApiDocument
from app.definitions.ids import Ids
from app.definitions.masking import NOTHING_NAMED, Masking
from app.definitions.problems import Problem
from app.definitions.remembered import remembered
from odoo_bridge.structure import Structure
from odoo_bridge.types import FieldInfo, MethodInfo, ModelInfo, Selection


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A model at one place of a definition: the fields that are visible there, and what follows from them.

    Equal to no other; what follows from it is ``remembered`` in it, and forgotten together with it.

    ``fields`` maps the names of visible fields (without ``id``) to their descriptions; ``related`` the
    relational ones among them that the definition goes through. ``open`` says that neither the definition nor the
    call names the fields: those that Odoo refuses to the executing user are left out. ``on_request`` are descriptions
    of what is no field of Odoo's, and shown where a call names it.
    """

    model: ModelInfo
    fields: Mapping[str, FieldInfo]
    related: Mapping[str, Node] = field(default_factory=lambda: MappingProxyType({}))
    open: bool = False
    on_request: Mapping[str, FieldInfo] = field(default_factory=lambda: MappingProxyType({}))
    remembered: dict[tuple[Any, ...], Any] = field(default_factory=dict, init=False, repr=False)

    def target(self, name: str) -> Node:
        """Return the node behind a relational field; where nothing is exposed of it, one with ids only."""
        known = self.related.get(name)
        return known or Node(ModelInfo.opaque(self.fields[name].relation or ""), MappingProxyType({}))

    def only(self, names: Iterable[str], *, asked: bool = False) -> Node:
        """Return this node with no more than the named fields.

        ``asked`` says that a call names them, which may be any: then it is not remembered.
        """
        chosen = frozenset(names)
        return _part(self, chosen, open=False) if asked else _only(self, chosen)

    @property
    def shows_external_ids(self) -> bool:
        """True if the caller's external ids are shown."""
        return EXTERNAL_ID in self.fields and EXTERNAL_ID in self.on_request

    def binary_fields(self) -> Iterator[str]:
        """Return the names of the fields that hold content, here and below."""
        yield from (name for name, info in self.fields.items() if info.type == "binary")
        for node in self.related.values():
            yield from node.binary_fields()

    def selection(self) -> Selection:
        """Return the selection of fields to read for all that is visible here."""
        return _selection(self)


@remembered
def _only(node: Node, names: frozenset[str]) -> Node:
    return _part(node, names, open=node.open)


def _part(node: Node, names: frozenset[str], *, open: bool) -> Node:
    fields = {name: info for name, info in node.fields.items() if name in names}
    if not open:
        fields |= {name: info for name, info in node.on_request.items() if name in names}
    related = {name: target for name, target in node.related.items() if name in names}
    return Node(node.model, MappingProxyType(fields), MappingProxyType(related), open, node.on_request)


@remembered
def _selection(node: Node) -> Selection:
    plain = tuple(name for name in node.fields if name not in node.related and name not in node.on_request)
    return Selection(plain, {name: target.selection() for name, target in node.related.items()}, node.open)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One model of an API.

    ``node`` is what a read shows; ``searchable`` what a search shows, filters and sorts by; ``domain`` is always
    added. ``all_fields`` says that the fields follow the model, less what Odoo keeps from the executing user;
    ``read_only`` that no call may change records of the model; ``switches`` are the names of those that are on.
    Groups of fewer records than ``min_group_size`` are left out of aggregations. ``upsert_keys`` are the keys by whose
    value a record can be named.
    """

    node: Node
    searchable: Node
    writable_fields: frozenset[str]
    domain: tuple[Any, ...]
    all_fields: bool
    read_only: bool = False
    switches: frozenset[str] = frozenset()
    min_group_size: int = 1
    upsert_keys: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.node.model.name

    @property
    def shown(self) -> Node:
        """The node that answers about single records show: no more than the API serves of the model by itself."""
        if "read" in self.switches:
            return self.node
        if "search" in self.switches:
            return self.searchable
        return self.node.only(self.writable_fields)


@dataclass(frozen=True, slots=True)
class Definition:
    """One API.

    ``method`` is what an API of type rpc calls; ``problems`` says why it cannot be served at the moment (a field that
    vanished); ``salt`` is the database's, for what has to be told apart without being shown; ``structure`` is what it
    was compiled for; ``masking`` is what the log hides of bodies, queries and the texts of failures.
    """

    id: int
    revision: int
    document: ApiDocument
    ids: Ids
    exposures: Mapping[str, Exposure]
    method: MethodInfo | None
    run_as: int | None
    salt: str
    structure: Structure
    masking: Masking = NOTHING_NAMED
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The API's name."""
        return self.document.name

    @property
    def logs_bodies(self) -> bool:
        """True if the log keeps bodies and queries: never those of log-ins."""
        return self.document.log_bodies and self.document.type != "key_authentication"
