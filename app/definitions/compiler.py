"""From a document to a frozen definition: every model, field and user is looked up, and all problems are named."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

from app.definitions.definition import Definition, Exposure, Node
from app.definitions.document import EXTERNAL_ID, HARMLESS, ApiDocument, ModelDocument
from app.definitions.harmless import undeclared
from app.definitions.ids import Ids
from app.definitions.keys import external_id_field, reason_against
from app.definitions.masking import Masking
from app.definitions.problems import Key, Problem
from app.definitions.secrets import (
    CHANGING_METHODS,
    GENERIC_METHODS,
    is_read_only_model,
    is_rights_field,
    is_secret_field,
    is_secret_model,
)
from odoo_bridge.structure import Structure
from odoo_bridge.types import FieldInfo, MethodInfo, ModelInfo, User


class Source(Protocol):
    """Odoo, as far as the compiler asks it."""

    @property
    def structure(self) -> Structure:
        """The structure of Odoo that the answers hold for."""

    def model(self, name: str) -> ModelInfo | None:
        """Return a model's description, or None."""

    def user(self, login: str) -> User | None:
        """Return a user, active or not, or None."""

    def method(self, model: str, name: str) -> MethodInfo | None:
        """Return a method that Odoo lets one call from outside, or None."""

    def domain_error(self, model: str, domain: list[Any]) -> str | None:
        """Return Odoo's objection to a domain, or None."""

    def untold(self, model: str, domain: list[Any], fields: tuple[str, ...]) -> str | None:
        """Return the reason for which the changes of a model can't be followed, or None."""


class _Compiler:
    def __init__(self, document: ApiDocument, source: Source, importing: bool) -> None:
        self.importing = importing
        self.document = document
        self.source = source
        self.problems: list[Problem] = []
        #: Whether calls are executed as somebody else than who makes them.
        self.as_another = document.run_as is not None or document.authentication == "public"

    def problem(self, key: Key, message: str, field: str = "") -> None:
        self.problems.append(Problem(key, message, field=field))

    def run_as(self) -> int | None:
        login = self.document.run_as
        if login is None:
            return None
        user = self.source.user(login)
        if user is None or (self.importing and not user.active):
            self.problem(("run_as",), f"there is no active user {login!r}")
            return None
        if user.is_superuser:
            self.problem(("run_as",), f"{login!r} is the superuser, who cannot execute calls")
            return None
        return user.uid  # whether the user is still active is asked at every call

    def method(self) -> MethodInfo | None:
        """Look up the method of an API of type rpc, and the models of the ids among its arguments."""
        name = self.document.method
        if name is None or not self.document.models:
            return None
        model = self.document.models[0].model
        if is_secret_model(model) or self.source.model(model) is None:
            return None  # said already
        refused = self.refused_method(model, name)
        found = None if refused else self.source.method(model, name)
        if found is None:
            self.problem(("method",), refused or f"{model} has no method {name!r} that may be called from outside")
            return None
        self.check_declared(found)
        self.check_undeclared(found)
        return found

    def refused_method(self, model: str, name: str) -> str | None:
        """Return the reason against a method that Odoo may well have; None where an API may have it."""
        if name in GENERIC_METHODS:
            return f"{name} takes any field: make an API of type rest, which says which"
        if name not in CHANGING_METHODS:
            return None
        if is_read_only_model(model):
            return f"{name} changes {model}, which can be read, but never be changed by an API"
        if self.as_another and model == "res.users":
            reason = "holds what gives rights, which no API with run_as or of the public changes"
            return f"{name} changes {model}, which {reason}"
        return None

    def check_declared(self, method: MethodInfo) -> None:
        """Check the declared arguments of a method."""
        rest = {argument for argument, _ in method.rest}
        known = {parameter.name for parameter in method.parameters} | rest
        for argument, what in self.document.arguments.items():
            key = ("arguments", argument)
            if argument not in known and (argument.startswith("*") or not method.more_keywords):
                self.problem(key, f"{method.model}.{method.name} has no argument {argument!r}")
            elif what == HARMLESS:
                continue
            elif argument in rest:
                self.problem(key, f"{argument} can't be ids: name the arguments one by one, or write {HARMLESS}")
            else:
                self.model(what, key)

    def check_undeclared(self, method: MethodInfo) -> None:
        """Check that enough is said of the arguments of a method."""
        for argument, why in undeclared(method, self.document.arguments):
            text = f'"{argument}": {HARMLESS}' if argument.startswith("*") else f"{argument}: {HARMLESS}"
            self.problem(
                ("arguments", argument),
                f"by {argument!r} of {method.model}.{method.name} a caller may reach any field: {why}. If you know "
                f"that it does no harm, write {text} under arguments; if it holds ids, their model",
            )

    def exposures(self) -> dict[str, Exposure]:
        found = {}
        for index, entry in enumerate(self.document.models):
            exposure = self.exposure(entry, ("models", index))
            if exposure:
                found[entry.model] = exposure
        return found

    def exposure(self, entry: ModelDocument, key: Key) -> Exposure | None:
        model = self.model(entry.model, (*key, "model"))
        if model is None:
            return None
        takes_all = entry.fields == "all"
        fields = self.fields(model, _exposable(model) if takes_all else entry.fields, (*key, "fields"))
        self.check_options(entry, model, fields, key)
        related = self.related(model, fields, entry.related, (*key, "related"))
        on_request = {EXTERNAL_ID: external_id_field(model.name)} if EXTERNAL_ID in entry.upsert_keys else {}
        node = Node(model, MappingProxyType(fields), MappingProxyType(related), takes_all, MappingProxyType(on_request))
        searchable = node.only(_or_default(entry.search_fields, fields, _can_be_searched))
        writable = frozenset(_or_default(entry.writable_fields, fields, _is_written))
        self.check_keys(entry, node, searchable.fields, writable, (*key, "upsert_keys"))
        domain = tuple(self.domain(entry, key))
        switches = self.document.switched_on(entry)
        if self.document.is_followed(switches) and not self.problems:
            self.check_followed(node, domain, (*key, "endpoints") if "delta" in switches else ("webhooks",))
        return Exposure(
            node=node,
            searchable=replace(searchable, open=takes_all and entry.search_fields is None),
            writable_fields=writable,
            domain=domain,
            all_fields=takes_all,
            read_only=is_read_only_model(entry.model),
            switches=switches,
            min_group_size=entry.min_group_size,
            upsert_keys=tuple(entry.upsert_keys),
        )

    def check_options(self, entry: ModelDocument, model: ModelInfo, fields: dict[str, FieldInfo], key: Key) -> None:
        """Check the fields that are said to be searched and written."""
        self.check_searched(entry, fields, (*key, "search_fields"))
        self.check_written(entry, fields, (*key, "writable_fields"))
        if entry.fields == "all":  # else they are among those that are named, as the document has seen to
            self.known(model, entry.search_fields or (), fields, (*key, "search_fields"))
            self.known(model, entry.writable_fields or (), fields, (*key, "writable_fields"))

    def check_searched(self, entry: ModelDocument, fields: Mapping[str, FieldInfo], key: Key) -> None:
        for name in entry.search_fields or ():
            if name in fields and not _can_be_searched(fields[name]):
                self.problem(key, f"{entry.model}.{name} can't be searched in Odoo", name)

    def check_written(self, entry: ModelDocument, fields: Mapping[str, FieldInfo], key: Key) -> None:
        for name in entry.writable_fields or ():
            if name in fields and not fields[name].writable:
                self.problem(key, f"{entry.model}.{name} is read-only in Odoo", name)
            elif is_read_only_model(entry.model):
                self.problem(key, f"{entry.model} can be read, but never be changed by an API", name)
            elif self.as_another and is_rights_field(entry.model, name):
                self.problem(key, f"{entry.model}.{name} gives rights: only users themselves write it", name)

    def check_keys(
        self, entry: ModelDocument, node: Node, searched: Container[str], written: Container[str], key: Key
    ) -> None:
        """Check the keys by whose value a record can be named."""
        model = node.model
        if entry.upsert_keys and is_read_only_model(model.name):
            self.problem(key, f"{model.name} can be read, but never be changed by an API")
            return
        for name in entry.upsert_keys:
            if name == EXTERNAL_ID:
                if name in model.fields:
                    self.problem(key, f"{model.name} has a field of its own that is called {name}", name)
            elif name not in node.fields:
                self.problem(key, f"not among fields: {name}", name)
            elif reason := reason_against(node.fields[name]):
                self.problem(key, f"{model.name}.{name} {reason}", name)
            elif name not in searched or name not in written:
                where = "search_fields" if name not in searched else "writable_fields"
                self.problem(key, f"not among {where}: {name}", name)

    def check_followed(self, node: Node, domain: tuple[Any, ...], key: Key) -> None:
        """Check that the changes of a model can be followed."""
        reason = self.source.untold(node.model.name, list(domain), tuple(node.fields))
        if reason:
            switch = "webhooks" if key == ("webhooks",) else "delta"
            self.problem(key, f"{switch}: the changes of {node.model.name} can't be followed, because {reason}")

    def model(self, name: str, key: Key) -> ModelInfo | None:
        if is_secret_model(name):
            self.problem(key, f"{name} holds secrets and can't be exposed")
            return None
        model = self.source.model(name)
        if model is None:
            self.problem(key, f"Odoo has no model {name!r}")
        elif model.abstract:
            self.problem(key, f"{name} is abstract: it has no records")
            return None
        return model

    def fields(self, model: ModelInfo, names: Iterable[str], key: Key) -> dict[str, FieldInfo]:
        found: dict[str, FieldInfo] = {}
        for name in names:
            info = model.fields.get(name)
            if info is None:
                self.problem(key, f"{model.name} has no field {name!r}", name)
            elif info.type == "properties_definition":
                self.problem(key, f"{model.name}.{name} defines properties; expose the properties themselves", name)
            elif is_secret_field(model.name, name) or is_secret_field(*info.origin) or info.restricted:
                self.problem(key, f"{model.name}.{name} is secret and can't be exposed", name)
            elif info.relation and is_secret_model(info.relation):
                self.problem(key, f"{model.name}.{name} leads to {info.relation}, which can't be exposed", name)
            else:
                found[name] = info
        return found

    def known(self, model: ModelInfo, names: Iterable[str], fields: dict[str, FieldInfo], key: Key) -> None:
        for name in names:
            if name not in fields:
                self.problem(key, f"{model.name} has no field {name!r} that can be exposed", name)

    def related(
        self, model: ModelInfo, fields: dict[str, FieldInfo], tree: dict[str, list[Any]], key: Key
    ) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for name, items in tree.items():
            if name in fields:
                comodel = self.comodel(fields[name], (*key, name))
                if comodel is not None:
                    nodes[name] = self.node(comodel, items, (*key, name))
            elif name not in model.fields:
                self.problem(key, f"{model.name} has no field {name!r}", name)
        return nodes

    def comodel(self, info: FieldInfo, key: Key) -> ModelInfo | None:
        if info.relation is None:
            self.problem(key, f"{info.model}.{info.name} is no relation")
            return None
        return self.model(info.relation, key)

    def node(self, model: ModelInfo, items: list[Any], key: Key) -> Node:
        plain = [item for item in items if isinstance(item, str) and item != "id"]
        nested = {inner: below for item in items if isinstance(item, dict) for inner, below in item.items()}
        visible = self.fields(model, dict.fromkeys([*plain, *nested]), key)
        below = self.related(model, visible, nested, key)
        return Node(model, MappingProxyType(visible), MappingProxyType(below))

    def domain(self, entry: ModelDocument, key: Key) -> list[Any]:
        domain = [tuple(term) if isinstance(term, list) else term for term in entry.domain]
        if domain:
            error = self.source.domain_error(entry.model, domain)
            if error:
                self.problem((*key, "domain"), error)
        return domain


def compile_document(
    document: ApiDocument,
    source: Source,
    *,
    api_id: int = 0,
    revision: int = 0,
    salt: str = "",
    importing: bool = False,
) -> Definition:
    """Return the definition with the problems found; one with problems must not serve calls.

    ``importing`` asks for more: a user who is switched off stops an import, but is no fault of a definition later.
    """
    compiler = _Compiler(document, source, importing)
    run_as = compiler.run_as()
    exposures = compiler.exposures()
    method = compiler.method()
    return Definition(
        id=api_id,
        revision=revision,
        document=document,
        ids=Ids(salt if document.id_obfuscation else None),
        exposures=MappingProxyType(exposures),
        method=method,
        run_as=run_as,
        salt=salt,
        structure=source.structure,
        masking=_masking(document, exposures, method),
        problems=tuple(compiler.problems),
    )


def _masking(document: ApiDocument, exposures: Mapping[str, Exposure], method: MethodInfo | None) -> Masking:
    """Return the masking of all that an API's log shows of its calls."""
    return Masking.of(
        document.masked_fields,
        binary=(name for exposure in exposures.values() for name in exposure.node.binary_fields()),
        parameters=(parameter.name for parameter in method.parameters if parameter.positional) if method else (),
    )


def can_be_exposed(model: ModelInfo, name: str) -> bool:
    """True if a definition may expose a field; ``fields: all`` takes all of these. The id is always there."""
    info = model.fields[name]
    return (
        name != "id"
        and not info.restricted
        and info.type != "properties_definition"
        and not is_secret_field(model.name, name)
        and not is_secret_field(*info.origin)
        and not (info.relation and is_secret_model(info.relation))
    )


def _exposable(model: ModelInfo) -> list[str]:
    return [name for name in model.fields if can_be_exposed(model, name)]


def _is_written(info: FieldInfo) -> bool:
    """True if a field is written where a definition does not say which are."""
    return info.writable and not is_rights_field(info.model, info.name) and not is_read_only_model(info.model)


def _can_be_searched(info: FieldInfo) -> bool:
    return info.searchable


def _or_default(named: list[str] | None, fields: dict[str, FieldInfo], fits: Callable[[FieldInfo], bool]) -> list[str]:
    """Return the named fields that exist, or by default all that fit."""
    if named is not None:
        return [name for name in named if name in fields]
    return [name for name, info in fields.items() if fits(info)]
